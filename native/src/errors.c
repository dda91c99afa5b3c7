// Exceptions for JavaScript: TypeError for arguments, and Error with `code` (errno name) and
// `syscall` for failed system calls. Texts for operators are made elsewhere.

#include <stdio.h>
#include <string.h>

#include "lbd_native.h"

void lbd_throw_type(napi_env env, const char *message) {
  bool pending = false;
  // An exception that is already on its way says more than ours.
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return;
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
}

const char *lbd_errno_name(int error) {
  const char *name = strerrorname_np(error);
  return name == NULL ? "EUNKNOWN" : name;
}

void lbd_throw_errno(napi_env env, int error, const char *syscall) {
  char text[128];
  snprintf(text, sizeof text, "%s: %s", syscall, lbd_errno_name(error));
  napi_value code, message, call, exception;
  if (napi_create_string_utf8(env, lbd_errno_name(error), NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
      napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &call) != napi_ok ||
      napi_create_error(env, code, message, &exception) != napi_ok ||
      napi_set_named_property(env, exception, "syscall", call) != napi_ok) {
    lbd_throw_type(env, text);
    return;
  }
  napi_throw(env, exception);
}
