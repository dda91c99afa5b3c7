// Batched receive: one recvmmsg and one call into JavaScript per readable event. Frames beyond the
// batch stay queued; the level-triggered poll reports them in the next turn of the loop.

#include <errno.h>

#include "lbd_native.h"

// Signals may interrupt the call; a bound keeps a storm of them from holding the loop.
enum { INTERRUPTS_MAX = 8 };

// Number of frames received, or a negated errno value. MSG_TRUNC makes the kernel report the true
// length of a frame that is longer than its slot.
static int receive_batch(lbd_socket *s) {
  uint32_t *lengths = lbd_ring_lengths(s->env, &s->receive);
  if (lengths == NULL) return -EFAULT;
  int count = -1;
  for (int i = 0; i < INTERRUPTS_MAX; i++) {
    count = recvmmsg(s->fd, s->receive.messages, s->receive.slots, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (count >= 0 || errno != EINTR) break;
  }
  if (count < 0) return errno == EINTR ? -EAGAIN : -errno;
  for (int i = 0; i < count; i++) lengths[i] = s->receive.messages[i].msg_len;
  return count;
}

static void call_javascript(lbd_socket *s, int count, int error) {
  napi_env env = s->env;
  napi_value self, callback, arguments[2];
  if (napi_get_reference_value(env, s->self, &self) != napi_ok ||
      napi_get_reference_value(env, s->on_event, &callback) != napi_ok ||
      napi_create_int32(env, count, &arguments[0]) != napi_ok) {
    return;
  }
  const napi_status named =
      error == 0 ? napi_get_undefined(env, &arguments[1])
                 : napi_create_string_utf8(env, lbd_errno_name(error), NAPI_AUTO_LENGTH,
                                           &arguments[1]);
  if (named != napi_ok) return;
  // make_callback, not call_function: it runs the microtasks that the callback queued.
  napi_make_callback(env, s->async, self, callback, 2, arguments, NULL);
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env, &exception) == napi_ok) {
    // As for any event handler that throws: 'uncaughtException'.
    napi_fatal_exception(env, exception);
  }
}

void lbd_on_poll(uv_poll_t *poll, int status, int events) {
  (void)events;
  lbd_socket *s = poll->data;
  napi_handle_scope scope;
  if (s->closed || napi_open_handle_scope(s->env, &scope) != napi_ok) return;
  const int result = receive_batch(s);
  if (result > 0) {
    call_javascript(s, result, 0);
  } else if (result < 0 && result != -EAGAIN) {
    // Interface down or gone, or memory taken away: nothing more will come.
    uv_poll_stop(poll);
    call_javascript(s, 0, -result);
    status = 0;
  }
  // libuv stops polling before it reports an error condition; it was not final, so go on.
  if (status < 0 && !s->closed) uv_poll_start(poll, UV_READABLE, lbd_on_poll);
  napi_close_handle_scope(s->env, scope);
}
