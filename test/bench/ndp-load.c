// Load generator and latency probe for responders of Neighbor Discovery, run where the client is.
// Solicitations go to the solicited-node group of the target, from many hosts that do not exist, as
// one host alone would be limited; an answer counts when it comes to one of them and is about the
// target.
//
// Usage: ndp-load INTERFACE TARGET latency N | rate SECONDS [WINDOW] | flood SECONDS

#define _GNU_SOURCE
#include <net/ethernet.h>
#include <stddef.h>

#include "load.h"

enum { HOSTS = 256, ICMPV6 = 58, SOLICITATION = 135, ADVERTISEMENT = 136 };

// Ethernet, IPv6 (RFC 8200), and a message with a link-layer address (RFC 4861). Multi-byte fields
// are in network order.
typedef struct __attribute__((packed)) {
  uint8_t destination[6];
  uint8_t source[6];
  uint16_t ether_type;
  uint32_t version;
  uint16_t payload_length;
  uint8_t next_header;
  uint8_t hop_limit;
  uint8_t source_ip[16];
  uint8_t destination_ip[16];
  uint8_t type;
  uint8_t code;
  uint16_t checksum;
  uint32_t flags;
  uint8_t target[16];
  uint8_t option_type;
  uint8_t option_length;
  uint8_t link_layer[6];
} ndp_frame;

static const uint8_t HOST_MAC[6] = {0x02, 0x00, 0x00, 0x01, 0x00, 0x00};
static uint8_t target[16];
static ndp_frame prepared[HOSTS];

static uint16_t checksum_of(const ndp_frame *frame) {
  const uint8_t *bytes = frame->source_ip;
  const size_t length = sizeof *frame - offsetof(ndp_frame, source_ip);
  uint32_t sum = ntohs(frame->payload_length) + ICMPV6;
  for (size_t i = 0; i < length; i += 2) sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return htons((uint16_t)~sum);
}

// Each host has a MAC and an address of its own, in the /64 of the target.
static void prepare(void) {
  for (int host = 0; host < HOSTS; host++) {
    ndp_frame *frame = &prepared[host];
    const uint8_t group_mac[6] = {0x33, 0x33, 0xff, target[13], target[14], target[15]};
    memcpy(frame->destination, group_mac, 6);
    memcpy(frame->source, HOST_MAC, 6);
    frame->source[5] = (uint8_t)host;
    frame->ether_type = htons(ETHERTYPE_IPV6);
    frame->version = htonl(0x60000000);
    frame->payload_length = htons(sizeof *frame - offsetof(ndp_frame, type));
    frame->next_header = ICMPV6;
    frame->hop_limit = 255;
    memcpy(frame->source_ip, target, 8);
    frame->source_ip[8] = 0xbe;
    frame->source_ip[15] = (uint8_t)host;
    inet_pton(AF_INET6, "ff02::1:ff00:0", frame->destination_ip);
    memcpy(frame->destination_ip + 13, target + 13, 3);
    frame->type = SOLICITATION;
    memcpy(frame->target, target, 16);
    frame->option_type = 1;
    frame->option_length = 1;
    memcpy(frame->link_layer, frame->source, 6);
    frame->checksum = checksum_of(frame);
  }
}

static size_t set_request(uint8_t *frame, unsigned number) {
  memcpy(frame, &prepared[number % HOSTS], sizeof prepared[0]);
  return sizeof prepared[0];
}

static int is_answer(const uint8_t *bytes, size_t length, const unsigned *number) {
  const ndp_frame *frame = (const ndp_frame *)bytes;
  return length >= sizeof *frame && frame->type == ADVERTISEMENT &&
         memcmp(frame->destination, HOST_MAC, 5) == 0 && memcmp(frame->target, target, 16) == 0 &&
         (number == NULL || frame->destination[5] == (uint8_t)*number);
}

// Receives advertisements.
static int open_socket(const char *interface_name) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(ndp_frame, next_header)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMPV6, 0, 3),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(ndp_frame, type)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ADVERTISEMENT, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  return open_packet_socket(interface_name, ETHERTYPE_IPV6, program,
                            sizeof program / sizeof program[0]);
}

static int usage(void) {
  fprintf(stderr, "Usage: ndp-load INTERFACE TARGET "
                  "latency N | rate SECONDS [WINDOW] | flood SECONDS\n");
  return 2;
}

int main(int argc, char **argv) {
  if (argc < 5 || inet_pton(AF_INET6, argv[2], target) != 1) return usage();
  prepare();
  const load l = {
      .fd = open_socket(argv[1]),
      .set_request = set_request,
      .is_answer = is_answer,
  };
  return measure(&l, argc - 3, argv + 3) == 0 ? 0 : usage();
}
