// The baseline of the ARP benches: about the least a userspace responder can do. Answers requests
// for one address or a range, in batches, with the interface's MAC. No tenures, counters or checks
// beyond those that a correct answer needs.
//
// Usage: responder INTERFACE FIRST [LAST]; prints "ready" and runs until it is killed.

#define _GNU_SOURCE
#include "arp-frame.h"

enum { BATCH = 64, SLOT_BYTES = 128 };

static uint8_t received[BATCH][SLOT_BYTES];
static arp_frame replies[BATCH];
static struct iovec receive_iovecs[BATCH], send_iovecs[BATCH];
static struct mmsghdr receive_messages[BATCH], send_messages[BATCH];

static void prepare(const arp_socket *s) {
  for (int i = 0; i < BATCH; i++) {
    receive_iovecs[i] = (struct iovec){received[i], SLOT_BYTES};
    receive_messages[i].msg_hdr = (struct msghdr){.msg_iov = &receive_iovecs[i], .msg_iovlen = 1};
    send_iovecs[i] = (struct iovec){&replies[i], sizeof replies[i]};
    send_messages[i].msg_hdr = (struct msghdr){.msg_iov = &send_iovecs[i], .msg_iovlen = 1};
    set_arp_header(&replies[i], ARP_REPLY_OPERATION);
    memcpy(replies[i].source, s->mac, 6);
    memcpy(replies[i].sender_mac, s->mac, 6);
  }
}

static int is_wanted(const arp_frame *frame, unsigned length, uint32_t first, uint32_t last) {
  if (length < sizeof *frame || frame->hardware_type != htons(1) ||
      frame->protocol_type != htons(ETHERTYPE_IP) || frame->hardware_length != 6 ||
      frame->protocol_length != 4 || frame->operation != htons(ARP_REQUEST_OPERATION)) {
    return 0;
  }
  const uint32_t target = ntohl(frame->target_ip);
  return target >= first && target <= last;
}

static void set_reply(arp_frame *reply, const arp_frame *request) {
  memcpy(reply->destination, request->sender_mac, 6);
  memcpy(reply->target_mac, request->sender_mac, 6);
  reply->target_ip = request->sender_ip;
  reply->sender_ip = request->target_ip;
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "Usage: responder INTERFACE FIRST [LAST]\n");
    return 2;
  }
  const uint32_t first = parse_ip(argv[2]);
  const uint32_t last = argc > 3 ? parse_ip(argv[3]) : first;
  const arp_socket s = open_arp_socket(argv[1], ARP_REQUEST_OPERATION);
  prepare(&s);
  puts("ready");
  fflush(stdout);
  for (;;) {
    const int count = recvmmsg(s.fd, receive_messages, BATCH, MSG_WAITFORONE, NULL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) die("receive");
    int answers = 0;
    for (int i = 0; i < count; i++) {
      const arp_frame *frame = (const arp_frame *)received[i];
      if (is_wanted(frame, receive_messages[i].msg_len, first, last)) {
        set_reply(&replies[answers++], frame);
      }
    }
    // A full queue loses answers, as it does for everyone.
    if (answers > 0) sendmmsg(s.fd, send_messages, (unsigned)answers, 0);
  }
}
