// Load generator and latency probe for ARP responders, run where the client is. Requests are
// broadcast, with the interface's own MAC and address; an answer counts when it comes to that MAC,
// says it is from a target, and was asked for.
//
// Usage: arp-load INTERFACE TARGET[-LAST][,...] latency N | rate SECONDS [WINDOW]

#define _GNU_SOURCE
#include <time.h>

#include "arp-frame.h"

enum { TARGETS_MAX = 65536, WINDOW_MAX = 1024, WINDOW_DEFAULT = 64, SLOT_BYTES = 128 };

// An answer that takes longer is lost.
static const int64_t LATENCY_TIMEOUT_NS = 1000000000;
static const int64_t RATE_TIMEOUT_NS = 100000000;
// Lets the caches, the branch predictor and the responder's compiler warm up.
static const int WARM_UP_REQUESTS = 200;

static uint32_t targets[TARGETS_MAX];  // network order
static int target_count;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

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

static void set_request(arp_frame *frame, const arp_socket *s, uint32_t target) {
  set_arp_header(frame, ARP_REQUEST_OPERATION);
  memset(frame->destination, 0xff, 6);
  memcpy(frame->source, s->mac, 6);
  memcpy(frame->sender_mac, s->mac, 6);
  memset(frame->target_mac, 0, 6);
  frame->sender_ip = s->ip;
  frame->target_ip = target;
}

static int is_answer(const arp_frame *frame, unsigned length, const arp_socket *s) {
  return length >= sizeof *frame && frame->operation == htons(ARP_REPLY_OPERATION) &&
         memcmp(frame->destination, s->mac, 6) == 0 && memcmp(frame->target_mac, s->mac, 6) == 0 &&
         frame->target_ip == s->ip;
}

static void set_timeout(int fd, int64_t ns) {
  const struct timeval timeout = {ns / 1000000000, ns % 1000000000 / 1000};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0) die("set a timeout");
}

// Nanoseconds until the answer, or -1.
static int64_t probe(const arp_socket *s, uint32_t target) {
  uint8_t buffer[SLOT_BYTES];
  arp_frame request;
  set_request(&request, s, target);
  const int64_t start = now_ns();
  if (send(s->fd, &request, sizeof request, 0) < 0) die("send");
  for (;;) {
    const ssize_t length = recv(s->fd, buffer, sizeof buffer, 0);
    const int64_t taken = now_ns() - start;
    const arp_frame *frame = (const arp_frame *)buffer;
    if (length > 0 && is_answer(frame, (unsigned)length, s) && frame->sender_ip == target) {
      return taken;
    }
    if (length < 0 && errno != EAGAIN && errno != EINTR) die("receive");
    // Also when other answers keep coming.
    if (length < 0 || taken > LATENCY_TIMEOUT_NS) return -1;
  }
}

static int compare_ns(const void *a, const void *b) {
  const int64_t left = *(const int64_t *)a;
  const int64_t right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

// The smallest value that `percent` of the sorted values do not exceed, in microseconds.
static double percentile_us(const int64_t *sorted, int count, double percent) {
  if (count == 0) return -1;
  int rank = (int)((percent * count + 99.999999) / 100) - 1;
  if (rank < 0) rank = 0;
  if (rank >= count) rank = count - 1;
  return (double)sorted[rank] / 1e3;
}

static void measure_latency(const arp_socket *s, int wanted) {
  int64_t *taken = calloc((size_t)wanted, sizeof *taken);
  if (taken == NULL) die("keep the results");
  set_timeout(s->fd, LATENCY_TIMEOUT_NS);
  int lost = 0;
  int answered = 0;
  for (int i = 0; i < WARM_UP_REQUESTS; i++) {
    if (probe(s, targets[i % target_count]) < 0) break;
  }
  for (int i = 0; i < wanted; i++) {
    const int64_t ns = probe(s, targets[i % target_count]);
    if (ns < 0) lost++;
    else taken[answered++] = ns;
  }
  qsort(taken, (size_t)answered, sizeof *taken, compare_ns);
  printf("{\"mode\":\"latency\",\"requests\":%d,\"answers\":%d,\"lost\":%d,\"unit\":\"us\","
         "\"p50\":%.2f,\"p99\":%.2f,\"worst\":%.2f}\n",
         wanted, answered, lost, percentile_us(taken, answered, 50),
         percentile_us(taken, answered, 99), percentile_us(taken, answered, 100));
  free(taken);
}

static arp_frame requests[WINDOW_MAX];
static uint8_t received[WINDOW_MAX][SLOT_BYTES];
static struct iovec send_iovecs[WINDOW_MAX], receive_iovecs[WINDOW_MAX];
static struct mmsghdr send_messages[WINDOW_MAX], receive_messages[WINDOW_MAX];

static void prepare_batches(void) {
  for (int i = 0; i < WINDOW_MAX; i++) {
    send_iovecs[i] = (struct iovec){&requests[i], sizeof requests[i]};
    send_messages[i].msg_hdr = (struct msghdr){.msg_iov = &send_iovecs[i], .msg_iovlen = 1};
    receive_iovecs[i] = (struct iovec){received[i], SLOT_BYTES};
    receive_messages[i].msg_hdr = (struct msghdr){.msg_iov = &receive_iovecs[i], .msg_iovlen = 1};
  }
}

// Sends `count` requests, each for the next target; returns how many the kernel took.
static int send_requests(const arp_socket *s, int count) {
  static unsigned next;
  for (int i = 0; i < count; i++) set_request(&requests[i], s, targets[next++ % target_count]);
  const int sent = sendmmsg(s->fd, send_messages, (unsigned)count, 0);
  if (sent < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) die("send");
  return sent < 0 ? 0 : sent;
}

// Number of answers received, waiting for the first; 0 after the timeout.
static int receive_answers(const arp_socket *s, int window) {
  const int count = recvmmsg(s->fd, receive_messages, (unsigned)window, MSG_WAITFORONE, NULL);
  if (count < 0 && errno != EAGAIN && errno != EINTR) die("receive");
  int answers = 0;
  for (int i = 0; i < count; i++) {
    answers += is_answer((const arp_frame *)received[i], receive_messages[i].msg_len, s);
  }
  return answers;
}

static void measure_rate(const arp_socket *s, double seconds, int window) {
  prepare_batches();
  set_timeout(s->fd, RATE_TIMEOUT_NS);
  const int64_t start = now_ns();
  const int64_t end = start + (int64_t)(seconds * 1e9);
  int64_t answers = 0;
  int64_t lost = 0;
  int outstanding = 0;
  int64_t now = start;
  while (now < end) {
    outstanding += send_requests(s, window - outstanding);
    const int got = receive_answers(s, window);
    if (got == 0) {
      // Nothing for so long: what is outstanding will not come.
      lost += outstanding;
      outstanding = 0;
    }
    answers += got;
    outstanding = got > outstanding ? 0 : outstanding - got;
    now = now_ns();
  }
  const double taken = (double)(now - start) / 1e9;
  printf("{\"mode\":\"rate\",\"seconds\":%.3f,\"window\":%d,\"answers\":%lld,\"lost\":%lld,"
         "\"perSecond\":%.0f}\n",
         taken, window, (long long)answers, (long long)lost, (double)answers / taken);
}

static int usage(void) {
  fprintf(stderr,
          "Usage: arp-load INTERFACE TARGET[-LAST][,...] latency N | rate SECONDS [WINDOW]\n");
  return 2;
}

int main(int argc, char **argv) {
  if (argc < 5) return usage();
  parse_targets(argv[2]);
  const double amount = atof(argv[4]);
  const int window = argc > 5 ? atoi(argv[5]) : WINDOW_DEFAULT;
  if (amount <= 0 || amount > 1e7 || window < 1 || window > WINDOW_MAX) return usage();
  const arp_socket s = open_arp_socket(argv[1], ARP_REPLY_OPERATION);
  if (strcmp(argv[3], "latency") == 0 && amount >= 1) measure_latency(&s, (int)amount);
  else if (strcmp(argv[3], "rate") == 0) measure_rate(&s, amount, window);
  else return usage();
  return 0;
}
