// What the C programs of the benches share: the ARP frame as a struct, and a packet socket for ARP
// on one interface.

#ifndef ARP_FRAME_H
#define ARP_FRAME_H

#include <net/ethernet.h>
#include <sys/ioctl.h>

#include "packet.h"

// Ethernet header and ARP for IPv4 (RFC 826). Multi-byte fields are in network order.
typedef struct __attribute__((packed)) {
  uint8_t destination[6];
  uint8_t source[6];
  uint16_t ether_type;
  uint16_t hardware_type;
  uint16_t protocol_type;
  uint8_t hardware_length;
  uint8_t protocol_length;
  uint16_t operation;
  uint8_t sender_mac[6];
  uint32_t sender_ip;
  uint8_t target_mac[6];
  uint32_t target_ip;
} arp_frame;

enum { ARP_REQUEST_OPERATION = 1, ARP_REPLY_OPERATION = 2 };

typedef struct {
  int fd;
  uint8_t mac[6];
  uint32_t ip;  // network order; 0 when the interface has none
} arp_socket;

static inline uint32_t parse_ip(const char *text) {
  struct in_addr address;
  if (inet_pton(AF_INET, text, &address) == 1) return ntohl(address.s_addr);
  fprintf(stderr, "Cannot read the address '%s'\n", text);
  exit(2);
}

// Receives ARP frames of that operation.
static inline arp_socket open_arp_socket(const char *interface_name, uint16_t operation) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 0, 3),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, operation, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  arp_socket s = {0};
  s.fd = open_packet_socket(interface_name, ETHERTYPE_ARP, program,
                            sizeof program / sizeof program[0]);
  struct ifreq request = {0};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface_name);
  if (ioctl(s.fd, SIOCGIFHWADDR, &request) != 0) die("read the MAC address");
  memcpy(s.mac, request.ifr_hwaddr.sa_data, sizeof s.mac);
  const int inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (inet >= 0 && ioctl(inet, SIOCGIFADDR, &request) == 0) {
    struct sockaddr_in own;
    memcpy(&own, &request.ifr_addr, sizeof own);
    s.ip = own.sin_addr.s_addr;
  }
  return s;
}

static inline void set_arp_header(arp_frame *frame, uint16_t operation) {
  frame->ether_type = htons(ETHERTYPE_ARP);
  frame->hardware_type = htons(1);
  frame->protocol_type = htons(ETHERTYPE_IP);
  frame->hardware_length = 6;
  frame->protocol_length = 4;
  frame->operation = htons(operation);
}

#endif
