// The table of functions the addon exports. They are primitives: precise argument errors, defaults
// and policy live in native/index.ts, which is the only caller.

#include "lbd_native.h"

#define LBD_FUNCTION(name, function) \
  { name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL }

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      LBD_FUNCTION("open", lbd_open),
      LBD_FUNCTION("setFilter", lbd_set_filter),
      LBD_FUNCTION("setPromiscuous", lbd_set_promiscuous),
      LBD_FUNCTION("send", lbd_send),
      LBD_FUNCTION("close", lbd_close),
      LBD_FUNCTION("bootTimeMs", lbd_boot_time_ms),
      LBD_FUNCTION("peerCredentials", lbd_peer_credentials),
      LBD_FUNCTION("setRealtimePriority", lbd_set_realtime_priority),
      LBD_FUNCTION("ignoreNetlinkOverruns", lbd_ignore_netlink_overruns),
  };
  const size_t count = sizeof functions / sizeof functions[0];
  if (napi_define_properties(env, exports, count, functions) != napi_ok) return NULL;
  return exports;
}
