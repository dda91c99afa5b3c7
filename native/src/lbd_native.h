// What the files of the addon share: the socket object, and helpers for arguments and errors.
// The addon has no global state, so that every worker thread can load it.

#ifndef LBD_NATIVE_H
#define LBD_NATIVE_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

// Limits of what JavaScript may ask for. The kernel refuses longer filters (BPF_MAXINSNS) and
// truncates longer batches (UIO_MAXIOV).
enum { LBD_FILTER_BYTES_MAX = 4096 * 8, LBD_SLOTS_MAX = 1024, LBD_SLOT_BYTES_MAX = 65536 };

// Slots of equal size in a Uint8Array, with their lengths in a Uint32Array. The memory belongs to
// JavaScript, which may detach or resize it at any time, so the addresses are read again before
// every system call.
typedef struct {
  napi_ref frames;
  napi_ref lengths;
  uint32_t slots;
  uint32_t slot_bytes;
  uint8_t *base;  // where the iovecs point to
  struct iovec *iovecs;
  struct mmsghdr *messages;
} lbd_ring;

typedef struct {
  napi_env env;
  uv_poll_t poll;
  int fd;
  uint32_t holders;  // the JavaScript object and the libuv handle; the last one frees
  bool closed;
  bool polling;  // `poll` is initialised and must be closed through libuv
  napi_ref self;  // strong while open: an open socket is never collected
  napi_ref on_event;
  napi_async_context async;
  napi_async_cleanup_hook_handle cleanup;
  lbd_ring receive;
  lbd_ring send;
} lbd_socket;

// errors.c
void lbd_throw_type(napi_env env, const char *message);
void lbd_throw_errno(napi_env env, int error, const char *syscall);
const char *lbd_errno_name(int error);

// arguments.c: each returns false with an exception pending when the value is not what it must be.
bool lbd_get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);
bool lbd_get_integer(napi_env env, napi_value value, int64_t min, int64_t max, int64_t *result);
bool lbd_get_function(napi_env env, napi_value value);
bool lbd_get_bytes(napi_env env, napi_value value, uint8_t **data, size_t *length);
bool lbd_get_words(napi_env env, napi_value value, uint32_t **data, size_t *length);

// frame_ring.c
bool lbd_ring_create(napi_env env, napi_value frames, napi_value lengths, lbd_ring *ring);
uint32_t *lbd_ring_lengths(napi_env env, lbd_ring *ring);
void lbd_ring_drop_references(napi_env env, lbd_ring *ring);
void lbd_ring_free(lbd_ring *ring);

// packet_fd.c: plain system calls; 0 or an errno value, with the failed call's name in `syscall`.
typedef struct {
  int interface_index;
  uint16_t ether_type;
  int receive_buffer_bytes;
  const uint8_t *filter;
  size_t filter_bytes;
} lbd_packet_options;
int lbd_packet_open(const lbd_packet_options *options, int *fd, const char **syscall);
int lbd_packet_filter(int fd, const uint8_t *filter, size_t filter_bytes);
int lbd_packet_promiscuous(int fd, int interface_index);

// packet_socket.c
lbd_socket *lbd_get_open_socket(napi_env env, napi_value value);
napi_value lbd_open(napi_env env, napi_callback_info info);
napi_value lbd_set_filter(napi_env env, napi_callback_info info);
napi_value lbd_set_promiscuous(napi_env env, napi_callback_info info);
napi_value lbd_close(napi_env env, napi_callback_info info);

// packet_receive.c, packet_send.c
void lbd_on_poll(uv_poll_t *poll, int status, int events);
napi_value lbd_send(napi_env env, napi_callback_info info);

// system.c
napi_value lbd_boot_time_ms(napi_env env, napi_callback_info info);
napi_value lbd_peer_credentials(napi_env env, napi_callback_info info);
napi_value lbd_set_realtime_priority(napi_env env, napi_callback_info info);
napi_value lbd_ignore_netlink_overruns(napi_env env, napi_callback_info info);

#endif
