# How node-gyp builds the addon: plain C against Node-API, warnings are errors, hardened.
# lbd_sanitize=1 (scripts/check-native.sh) builds with AddressSanitizer and UBSan instead.
{
  "variables": { "lbd_sanitize%": 0 },
  "targets": [
    {
      "target_name": "lbd_native",
      "sources": [
        "src/module.c",
        "src/arguments.c",
        "src/errors.c",
        "src/frame_ring.c",
        "src/packet_fd.c",
        "src/packet_socket.c",
        "src/packet_receive.c",
        "src/packet_send.c",
        "src/system.c",
      ],
      "defines": ["NAPI_VERSION=9", "_GNU_SOURCE"],
      "cflags!": ["-O3", "-Wno-unused-parameter"],
      "cflags": [
        "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wvla", "-Wformat=2",
        "-fvisibility=hidden", "-fstack-protector-strong", "-fno-strict-aliasing",
      ],
      "configurations": { "Release": { "cflags!": ["-O3"] } },
      "conditions": [
        ["lbd_sanitize==1", {
          "cflags": [
            "-O1", "-g", "-fno-omit-frame-pointer",
            "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
          ],
          "ldflags": ["-fsanitize=address,undefined"],
        }, {
          "cflags": ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-clash-protection"],
          "ldflags": ["-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"],
        }],
      ],
    }
  ],
}
