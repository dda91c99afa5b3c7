// What the load generators of the benches have in common: requests one after the other, each timed,
// or as many in flight as a window holds. What a request and an answer are is told by the protocol.

#ifndef LOAD_H
#define LOAD_H

#include <time.h>

#include "packet.h"

enum { WINDOW_MAX = 1024, WINDOW_DEFAULT = 64, SLOT_BYTES = 128 };

// An answer that takes longer is lost.
static const int64_t LATENCY_TIMEOUT_NS = 1000000000;
static const int64_t RATE_TIMEOUT_NS = 100000000;
// Lets the caches, the branch predictor and the responder's compiler warm up.
static const int WARM_UP_REQUESTS = 200;

typedef struct {
  int fd;
  // Writes the request of that number, and returns its length.
  size_t (*set_request)(uint8_t *frame, unsigned number);
  // Whether it answers the request of that number; NULL: any request.
  int (*is_answer)(const uint8_t *frame, size_t length, const unsigned *number);
} load;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void set_timeout(int fd, int64_t ns) {
  const struct timeval timeout = {ns / 1000000000, ns % 1000000000 / 1000};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0) return;
  die("set a timeout");
}

// Nanoseconds until the answer, or -1.
static int64_t probe(const load *l, unsigned number) {
  uint8_t buffer[SLOT_BYTES];
  uint8_t request[SLOT_BYTES];
  const size_t bytes = l->set_request(request, number);
  const int64_t start = now_ns();
  if (send(l->fd, request, bytes, 0) < 0) die("send");
  for (;;) {
    const ssize_t length = recv(l->fd, buffer, sizeof buffer, 0);
    const int64_t taken = now_ns() - start;
    if (length > 0 && l->is_answer(buffer, (size_t)length, &number)) return taken;
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

static void measure_latency(const load *l, int wanted) {
  int64_t *taken = calloc((size_t)wanted, sizeof *taken);
  if (taken == NULL) die("keep the results");
  set_timeout(l->fd, LATENCY_TIMEOUT_NS);
  int lost = 0;
  int answered = 0;
  for (int i = 0; i < WARM_UP_REQUESTS; i++) {
    if (probe(l, (unsigned)i) < 0) break;
  }
  for (int i = 0; i < wanted; i++) {
    const int64_t ns = probe(l, (unsigned)i);
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

static uint8_t requests[WINDOW_MAX][SLOT_BYTES];
static uint8_t received[WINDOW_MAX][SLOT_BYTES];
static struct iovec send_iovecs[WINDOW_MAX], receive_iovecs[WINDOW_MAX];
static struct mmsghdr send_messages[WINDOW_MAX], receive_messages[WINDOW_MAX];

static void prepare_batches(void) {
  for (int i = 0; i < WINDOW_MAX; i++) {
    send_iovecs[i] = (struct iovec){requests[i], 0};
    send_messages[i].msg_hdr = (struct msghdr){.msg_iov = &send_iovecs[i], .msg_iovlen = 1};
    receive_iovecs[i] = (struct iovec){received[i], SLOT_BYTES};
    receive_messages[i].msg_hdr = (struct msghdr){.msg_iov = &receive_iovecs[i], .msg_iovlen = 1};
  }
}

// Sends `count` requests, each for the next target; returns how many the kernel took.
static int send_requests(const load *l, int count) {
  static unsigned next;
  for (int i = 0; i < count; i++) {
    send_iovecs[i].iov_len = l->set_request(requests[i], next++);
  }
  const int sent = sendmmsg(l->fd, send_messages, (unsigned)count, 0);
  if (sent < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) die("send");
  return sent < 0 ? 0 : sent;
}

// Number of answers received, waiting for the first; 0 after the timeout.
static int receive_answers(const load *l, int window) {
  const int count = recvmmsg(l->fd, receive_messages, (unsigned)window, MSG_WAITFORONE, NULL);
  if (count < 0 && errno != EAGAIN && errno != EINTR) die("receive");
  int answers = 0;
  for (int i = 0; i < count; i++) {
    answers += l->is_answer(received[i], receive_messages[i].msg_len, NULL);
  }
  return answers;
}

static void measure_rate(const load *l, double seconds, int window) {
  prepare_batches();
  set_timeout(l->fd, RATE_TIMEOUT_NS);
  const int64_t start = now_ns();
  const int64_t end = start + (int64_t)(seconds * 1e9);
  int64_t answers = 0;
  int64_t lost = 0;
  int outstanding = 0;
  int64_t now = start;
  while (now < end) {
    outstanding += send_requests(l, window - outstanding);
    const int got = receive_answers(l, window);
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

// As many requests as the machine sends, whether they are answered or not.
static void flood(const load *l, double seconds) {
  prepare_batches();
  const int64_t start = now_ns();
  const int64_t end = start + (int64_t)(seconds * 1e9);
  int64_t sent = 0;
  int64_t now = start;
  while (now < end) {
    sent += send_requests(l, WINDOW_DEFAULT);
    now = now_ns();
  }
  const double taken = (double)(now - start) / 1e9;
  printf("{\"mode\":\"flood\",\"seconds\":%.3f,\"sent\":%lld,\"perSecond\":%.0f}\n", taken,
         (long long)sent, (double)sent / taken);
}

// `mode`: latency N | rate SECONDS [WINDOW] | flood SECONDS. 0, or 2 where it cannot be meant.
static int measure(const load *l, int count, char **mode) {
  if (count < 2) return 2;
  const double amount = atof(mode[1]);
  const int window = count > 2 ? atoi(mode[2]) : WINDOW_DEFAULT;
  if (amount <= 0 || amount > 1e7 || window < 1 || window > WINDOW_MAX) return 2;
  if (strcmp(mode[0], "latency") == 0 && amount >= 1) measure_latency(l, (int)amount);
  else if (strcmp(mode[0], "rate") == 0) measure_rate(l, amount, window);
  else if (strcmp(mode[0], "flood") == 0) flood(l, amount);
  else return 2;
  return 0;
}

#endif
