// Ethernet, as far as every protocol over it shares it.

/** IEEE 802.3: the longest frame of the classic size, 4 bytes of VLAN tag included. */
export const FRAME_BYTES_MAX = 1_518;
