// Load generator and latency probe for ARP responders, run where the client is. Requests are
// broadcast, with the interface's own MAC and address; an answer counts when it comes to that MAC,
// says it is from a target, and was asked for.
//
// Usage: arp-load INTERFACE TARGET[-LAST][,...] latency N | rate SECONDS [WINDOW]

#define _GNU_SOURCE
#include "arp-frame.h"
#include "load.h"

enum { TARGETS_MAX = 65536 };

static uint32_t targets[TARGETS_MAX];  // network order
static int target_count;
static arp_socket own;

static void parse_targets(char *list) {
  for (char *item = strtok(list, ","); item != NULL; item = strtok(NULL, ",")) {
    char *dash = strchr(item, '-');
    if (dash != NULL) *dash = '\0';
    const uint32_t first = parse_ip(item);
    const uint32_t last = dash == NULL ? first : parse_ip(dash + 1);
    for (uint64_t ip = first; ip <= last && target_count < TARGETS_MAX; ip++) {
      targets[target_count++] = htonl((uint32_t)ip);
    }
  }
  if (target_count > 0) return;
  fprintf(stderr, "Cannot start: there is no target\n");
  exit(2);
}

static uint32_t target_of(unsigned number) {
  return targets[number % (unsigned)target_count];
}

static size_t set_request(uint8_t *bytes, unsigned number) {
  arp_frame *frame = (arp_frame *)bytes;
  set_arp_header(frame, ARP_REQUEST_OPERATION);
  memset(frame->destination, 0xff, 6);
  memcpy(frame->source, own.mac, 6);
  memcpy(frame->sender_mac, own.mac, 6);
  memset(frame->target_mac, 0, 6);
  frame->sender_ip = own.ip;
  frame->target_ip = target_of(number);
  return sizeof *frame;
}

static int is_answer(const uint8_t *bytes, size_t length, const unsigned *number) {
  const arp_frame *frame = (const arp_frame *)bytes;
  return length >= sizeof *frame && frame->operation == htons(ARP_REPLY_OPERATION) &&
         memcmp(frame->destination, own.mac, 6) == 0 &&
         memcmp(frame->target_mac, own.mac, 6) == 0 && frame->target_ip == own.ip &&
         (number == NULL || frame->sender_ip == target_of(*number));
}

static int usage(void) {
  fprintf(stderr,
          "Usage: arp-load INTERFACE TARGET[-LAST][,...] latency N | rate SECONDS [WINDOW]\n");
  return 2;
}

int main(int argc, char **argv) {
  if (argc < 5) return usage();
  parse_targets(argv[2]);
  own = open_arp_socket(argv[1], ARP_REPLY_OPERATION);
  const load l = {.fd = own.fd, .set_request = set_request, .is_answer = is_answer};
  return measure(&l, argc - 3, argv + 3) == 0 ? 0 : usage();
}
