// Reading of arguments. It keeps memory safe whatever JavaScript passes; the messages are short
// because native/index.ts has refused bad values with better ones before.

#include "lbd_native.h"

bool lbd_get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = count;
  // Arguments that were not given are filled with undefined.
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok) return true;
  lbd_throw_type(env, "arguments cannot be read");
  return false;
}

bool lbd_get_integer(napi_env env, napi_value value, int64_t min, int64_t max, int64_t *result) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    lbd_throw_type(env, "argument must be a number");
    return false;
  }
  // Written so that NaN fails; the bounds are far below 2^53, so the conversion is exact.
  if (!(number >= (double)min && number <= (double)max) || number != (double)(int64_t)number) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "argument is out of range");
    return false;
  }
  *result = (int64_t)number;
  return true;
}

bool lbd_get_function(napi_env env, napi_value value) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_function) return true;
  lbd_throw_type(env, "argument must be a function");
  return false;
}

static bool get_typed_array(napi_env env, napi_value value, napi_typedarray_type wanted,
                            void **data, size_t *length) {
  bool is_typed_array = false;
  napi_typedarray_type type;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array ||
      napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) != napi_ok ||
      type != wanted) {
    lbd_throw_type(env, "argument must be a typed array of the right kind");
    return false;
  }
  // A detached or emptied buffer has no address; nothing may be read or written then.
  if (*data == NULL) *length = 0;
  return true;
}

bool lbd_get_bytes(napi_env env, napi_value value, uint8_t **data, size_t *length) {
  void *address = NULL;
  if (!get_typed_array(env, value, napi_uint8_array, &address, length)) return false;
  *data = address;
  return true;
}

bool lbd_get_words(napi_env env, napi_value value, uint32_t **data, size_t *length) {
  void *address = NULL;
  if (!get_typed_array(env, value, napi_uint32_array, &address, length)) return false;
  *data = address;
  return true;
}
