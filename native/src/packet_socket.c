// Life of the socket object: open, replace the filter, close. It stays alive until it is closed or
// its environment (main thread or worker) ends; the cleanup hook then closes it through libuv.

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lbd_native.h"

// Random, so that no other addon's object passes for one of ours.
static const napi_type_tag SOCKET_TAG = {0x5d1c2ab30f6e4797, 0x9c41e86b7d0a5f23};

static void release(lbd_socket *s) {
  if (--s->holders > 0) return;
  lbd_ring_free(&s->receive);
  lbd_ring_free(&s->send);
  free(s);
}

static void end_cleanup_hook(lbd_socket *s) {
  if (s->cleanup != NULL) napi_remove_async_cleanup_hook(s->cleanup);
  s->cleanup = NULL;
}

static void drop_reference(napi_env env, napi_ref *reference) {
  if (*reference != NULL) napi_delete_reference(env, *reference);
  *reference = NULL;
}

static void on_poll_closed(uv_handle_t *handle) {
  lbd_socket *s = handle->data;
  end_cleanup_hook(s);
  release(s);
}

static void close_socket(lbd_socket *s) {
  if (s->closed) return;
  s->closed = true;
  // libuv must forget the descriptor before its number can be used again.
  if (s->polling) uv_close((uv_handle_t *)&s->poll, on_poll_closed);
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
  if (s->async != NULL) napi_async_destroy(s->env, s->async);
  s->async = NULL;
  lbd_ring_drop_references(s->env, &s->receive);
  lbd_ring_drop_references(s->env, &s->send);
  drop_reference(s->env, &s->on_event);
  drop_reference(s->env, &s->self);
  if (!s->polling) end_cleanup_hook(s);
}

// The environment ends. It waits until the hook is removed, in on_poll_closed.
static void on_environment_end(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  close_socket(data);
}

static void on_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  close_socket(data);
  release(data);
}

static lbd_socket *get_socket(napi_env env, napi_value value) {
  bool ours = false;
  void *data = NULL;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_object &&
      napi_check_object_type_tag(env, value, &SOCKET_TAG, &ours) == napi_ok && ours &&
      napi_unwrap(env, value, &data) == napi_ok) {
    return data;
  }
  lbd_throw_type(env, "argument must be a packet socket");
  return NULL;
}

lbd_socket *lbd_get_open_socket(napi_env env, napi_value value) {
  lbd_socket *s = get_socket(env, value);
  if (s == NULL || !s->closed) return s;
  napi_throw_error(env, "EBADF", "the packet socket is closed");
  return NULL;
}

static bool get_options(napi_env env, napi_value *values, lbd_packet_options *options) {
  int64_t interface_index, ether_type, receive_buffer_bytes;
  uint8_t *filter;
  // Index 0 would mean "every interface", and EtherType 0 "no frame at all".
  if (!lbd_get_integer(env, values[0], 1, INT32_MAX, &interface_index)) return false;
  if (!lbd_get_integer(env, values[1], 1, UINT16_MAX, &ether_type)) return false;
  if (!lbd_get_integer(env, values[2], 1, INT32_MAX / 2, &receive_buffer_bytes)) return false;
  if (!lbd_get_bytes(env, values[3], &filter, &options->filter_bytes)) return false;
  options->interface_index = (int)interface_index;
  options->ether_type = (uint16_t)ether_type;
  options->receive_buffer_bytes = (int)receive_buffer_bytes;
  options->filter = filter;
  return true;
}

// Ties `s` to a new JavaScript object, whose finalizer owns it from then on.
static napi_value wrap(napi_env env, lbd_socket *s) {
  napi_value object;
  if (napi_create_object(env, &object) != napi_ok ||
      napi_wrap(env, object, s, on_finalize, NULL, NULL) != napi_ok) {
    release(s);
    return NULL;
  }
  if (napi_type_tag_object(env, object, &SOCKET_TAG) == napi_ok &&
      napi_create_reference(env, object, 1, &s->self) == napi_ok) {
    return object;
  }
  close_socket(s);
  return NULL;
}

static bool connect_callback(napi_env env, lbd_socket *s, napi_value object, napi_value on_event) {
  napi_value name;
  return napi_create_reference(env, on_event, 1, &s->on_event) == napi_ok &&
         napi_create_string_utf8(env, "lbd_packet_socket", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_async_init(env, object, name, &s->async) == napi_ok &&
         napi_add_async_cleanup_hook(env, on_environment_end, s, &s->cleanup) == napi_ok;
}

// 0, or a libuv error, which is a negated errno value.
static int start_polling(napi_env env, lbd_socket *s) {
  uv_loop_t *loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return UV_EINVAL;
  const int error = uv_poll_init(loop, &s->poll, s->fd);
  if (error != 0) return error;
  s->poll.data = s;
  s->polling = true;
  s->holders++;
  return uv_poll_start(&s->poll, UV_READABLE, lbd_on_poll);
}

// open(interfaceIndex, etherType, receiveBufferBytes, filter, receiveFrames, receiveLengths,
//      sendFrames, sendLengths, onEvent(count, errnoName | undefined)) -> socket object
napi_value lbd_open(napi_env env, napi_callback_info info) {
  napi_value values[9];
  lbd_packet_options options;
  if (!lbd_get_arguments(env, info, 9, values)) return NULL;
  if (!get_options(env, values, &options) || !lbd_get_function(env, values[8])) return NULL;
  lbd_socket *s = calloc(1, sizeof *s);
  if (s == NULL) {
    lbd_throw_errno(env, ENOMEM, "calloc");
    return NULL;
  }
  s->env = env;
  s->fd = -1;
  s->holders = 1;
  napi_value object = wrap(env, s);
  if (object == NULL) {
    lbd_throw_type(env, "socket object cannot be created");
    return NULL;
  }
  if (!lbd_ring_create(env, values[4], values[5], &s->receive) ||
      !lbd_ring_create(env, values[6], values[7], &s->send) ||
      !connect_callback(env, s, object, values[8])) {
    close_socket(s);
    lbd_throw_type(env, "socket object cannot be created");
    return NULL;
  }
  const char *syscall = NULL;
  int error = lbd_packet_open(&options, &s->fd, &syscall);
  if (error == 0) {
    syscall = "epoll_ctl";
    error = -start_polling(env, s);
  }
  if (error == 0) return object;
  close_socket(s);
  lbd_throw_errno(env, error, syscall);
  return NULL;
}

// setFilter(socket, program): replaces the filter; on failure the old one stays.
napi_value lbd_set_filter(napi_env env, napi_callback_info info) {
  napi_value values[2];
  uint8_t *filter;
  size_t filter_bytes;
  if (!lbd_get_arguments(env, info, 2, values)) return NULL;
  lbd_socket *s = lbd_get_open_socket(env, values[0]);
  if (s == NULL || !lbd_get_bytes(env, values[1], &filter, &filter_bytes)) return NULL;
  const int error = lbd_packet_filter(s->fd, filter, filter_bytes);
  if (error != 0) lbd_throw_errno(env, error, "setsockopt");
  return NULL;
}

// setPromiscuous(socket, interfaceIndex): until the socket is closed.
napi_value lbd_set_promiscuous(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int64_t interface_index;
  if (!lbd_get_arguments(env, info, 2, values)) return NULL;
  lbd_socket *s = lbd_get_open_socket(env, values[0]);
  if (s == NULL) return NULL;
  if (!lbd_get_integer(env, values[1], 1, INT32_MAX, &interface_index)) return NULL;
  const int error = lbd_packet_promiscuous(s->fd, (int)interface_index);
  if (error != 0) lbd_throw_errno(env, error, "setsockopt");
  return NULL;
}

// close(socket): releases the descriptor at once; closing again does nothing.
napi_value lbd_close(napi_env env, napi_callback_info info) {
  napi_value value;
  if (!lbd_get_arguments(env, info, 1, &value)) return NULL;
  lbd_socket *s = get_socket(env, value);
  if (s != NULL) close_socket(s);
  return NULL;
}
