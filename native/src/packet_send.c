// Batched send. What the kernel does not take at once is not sent: a late ARP answer is worth
// nothing, so there is no queue here and no waiting for writability.

#include <errno.h>

#include "lbd_native.h"

static bool is_full_queue(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM ||
         error == EINTR;
}

// Lengths come from memory that JavaScript can write at any time: read once, then capped.
static void set_lengths(lbd_ring *ring, const uint32_t *lengths, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t length = lengths[i];
    ring->iovecs[i].iov_len = length > ring->slot_bytes ? ring->slot_bytes : length;
  }
}

// send(socket, count) -> how many of the first `count` slots the kernel accepted. Throws only when
// it accepted none, for a reason other than a full queue.
napi_value lbd_send(napi_env env, napi_callback_info info) {
  napi_value values[2], result;
  int64_t count;
  if (!lbd_get_arguments(env, info, 2, values)) return NULL;
  lbd_socket *s = lbd_get_open_socket(env, values[0]);
  if (s == NULL || !lbd_get_integer(env, values[1], 0, s->send.slots, &count)) return NULL;
  uint32_t *lengths = lbd_ring_lengths(env, &s->send);
  if (lengths == NULL) {
    lbd_throw_errno(env, EFAULT, "sendmmsg");
    return NULL;
  }
  set_lengths(&s->send, lengths, (uint32_t)count);
  int sent = 0;
  int error = 0;
  // Every turn but the last sends at least one frame, so `count` turns are the most.
  while (sent < count && error == 0) {
    const int accepted =
        sendmmsg(s->fd, s->send.messages + sent, (unsigned)(count - sent), MSG_DONTWAIT);
    if (accepted > 0) sent += accepted;
    else error = accepted < 0 ? errno : EAGAIN;
  }
  if (sent == 0 && error != 0 && !is_full_queue(error)) {
    lbd_throw_errno(env, error, "sendmmsg");
    return NULL;
  }
  return napi_create_int32(env, sent, &result) == napi_ok ? result : NULL;
}
