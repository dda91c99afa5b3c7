// A batch of preallocated frame slots, as the kernel wants them for recvmmsg and sendmmsg. It does
// not decide what the slots hold.

#include <errno.h>
#include <stdlib.h>

#include "lbd_native.h"

static bool allocate(lbd_ring *ring) {
  ring->iovecs = calloc(ring->slots, sizeof *ring->iovecs);
  ring->messages = calloc(ring->slots, sizeof *ring->messages);
  if (ring->iovecs == NULL || ring->messages == NULL) return false;
  for (uint32_t i = 0; i < ring->slots; i++) {
    ring->messages[i].msg_hdr.msg_iov = &ring->iovecs[i];
    ring->messages[i].msg_hdr.msg_iovlen = 1;
  }
  return true;
}

// On failure the caller still calls lbd_ring_drop_references and lbd_ring_free.
bool lbd_ring_create(napi_env env, napi_value frames, napi_value lengths, lbd_ring *ring) {
  uint8_t *bytes;
  uint32_t *words;
  size_t byte_count, slots;
  if (!lbd_get_bytes(env, frames, &bytes, &byte_count)) return false;
  if (!lbd_get_words(env, lengths, &words, &slots)) return false;
  const size_t slot_bytes = slots == 0 ? 0 : byte_count / slots;
  if (slots < 1 || slots > LBD_SLOTS_MAX || slot_bytes < 1 || slot_bytes > LBD_SLOT_BYTES_MAX) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "slot count or size is out of range");
    return false;
  }
  ring->slots = (uint32_t)slots;
  ring->slot_bytes = (uint32_t)slot_bytes;
  if (!allocate(ring)) {
    lbd_throw_errno(env, ENOMEM, "calloc");
    return false;
  }
  if (napi_create_reference(env, frames, 1, &ring->frames) != napi_ok ||
      napi_create_reference(env, lengths, 1, &ring->lengths) != napi_ok) {
    lbd_throw_type(env, "arrays cannot be referenced");
    return false;
  }
  return true;
}

// The current address of `value`'s bytes; NULL when there are fewer than `needed` of them.
static void *array_data(napi_env env, napi_ref reference, size_t needed) {
  napi_value array;
  void *data = NULL;
  size_t length = 0;
  if (reference == NULL || napi_get_reference_value(env, reference, &array) != napi_ok) return NULL;
  if (array == NULL) return NULL;
  if (napi_get_typedarray_info(env, array, NULL, &length, &data, NULL, NULL) != napi_ok) {
    return NULL;
  }
  return length < needed ? NULL : data;
}

// Points the iovecs at the slots' present memory and returns the lengths array, or NULL when
// JavaScript has taken the memory away. Valid until JavaScript runs again.
uint32_t *lbd_ring_lengths(napi_env env, lbd_ring *ring) {
  uint8_t *base = array_data(env, ring->frames, (size_t)ring->slots * ring->slot_bytes);
  if (base == NULL) return NULL;
  if (base != ring->base) {
    for (uint32_t i = 0; i < ring->slots; i++) {
      ring->iovecs[i].iov_base = base + (size_t)i * ring->slot_bytes;
      ring->iovecs[i].iov_len = ring->slot_bytes;
    }
    ring->base = base;
  }
  return array_data(env, ring->lengths, ring->slots);
}

void lbd_ring_drop_references(napi_env env, lbd_ring *ring) {
  if (ring->frames != NULL) napi_delete_reference(env, ring->frames);
  if (ring->lengths != NULL) napi_delete_reference(env, ring->lengths);
  ring->frames = NULL;
  ring->lengths = NULL;
}

void lbd_ring_free(lbd_ring *ring) {
  free(ring->iovecs);
  free(ring->messages);
}
