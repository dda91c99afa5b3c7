// Small system calls that Node does not offer: the boot clock, the credentials of a unix socket's
// peer, the scheduling class of the calling thread, and what rtnetlink does with a full buffer.

#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "lbd_native.h"

// bootTimeMs() -> CLOCK_BOOTTIME in ms, with fractions. Answered by the vDSO, without a system
// call, because it is read for every ARP answer.
napi_value lbd_boot_time_ms(napi_env env, napi_callback_info info) {
  (void)info;
  struct timespec now;
  napi_value result;
  clock_gettime(CLOCK_BOOTTIME, &now);
  const double ms = (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
  return napi_create_double(env, ms, &result) == napi_ok ? result : NULL;
}

static bool set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  return napi_create_double(env, number, &value) == napi_ok &&
         napi_set_named_property(env, object, name, value) == napi_ok;
}

// peerCredentials(fd) -> {pid, uid, gid} of the process that connected, as it was at that moment.
napi_value lbd_peer_credentials(napi_env env, napi_callback_info info) {
  napi_value value, result;
  int64_t fd;
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (!lbd_get_arguments(env, info, 1, &value)) return NULL;
  if (!lbd_get_integer(env, value, 0, INT32_MAX, &fd)) return NULL;
  int error = getsockopt((int)fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? 0 : errno;
  // The kernel answers for any socket; one without a unix peer has no user.
  if (error == 0 && peer.uid == (uid_t)-1) error = ENOTCONN;
  if (error != 0) {
    lbd_throw_errno(env, error, "getsockopt");
    return NULL;
  }
  if (napi_create_object(env, &result) != napi_ok || !set_number(env, result, "pid", peer.pid) ||
      !set_number(env, result, "uid", peer.uid) || !set_number(env, result, "gid", peer.gid)) {
    return NULL;
  }
  return result;
}

// setRealtimePriority(priority) -> undefined, or the errno name. 1 to 99: SCHED_FIFO for the
// calling thread; 0: back to normal scheduling. Threads and processes it starts do not inherit it.
napi_value lbd_set_realtime_priority(napi_env env, napi_callback_info info) {
  napi_value value, result;
  int64_t priority;
  if (!lbd_get_arguments(env, info, 1, &value)) return NULL;
  if (!lbd_get_integer(env, value, 0, 99, &priority)) return NULL;
  const struct sched_param parameters = {.sched_priority = (int)priority};
  const int policy = (priority == 0 ? SCHED_OTHER : SCHED_FIFO) | SCHED_RESET_ON_FORK;
  if (sched_setscheduler(0, policy, &parameters) == 0) return NULL;
  return napi_create_string_utf8(env, lbd_errno_name(errno), NAPI_AUTO_LENGTH, &result) == napi_ok
             ? result
             : NULL;
}

static bool has_option(int fd, int option, int wanted) {
  int value;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

// ignoreNetlinkOverruns() -> how many rtnetlink sockets this process has. From now on none of them
// fails with ENOBUFS when its buffer is full; what does not fit is lost.
napi_value lbd_ignore_netlink_overruns(napi_env env, napi_callback_info info) {
  (void)info;
  DIR *folder = opendir("/proc/self/fd");
  int error = folder == NULL ? errno : 0;
  int count = 0;
  const int on = 1;
  const struct dirent *entry;
  while (error == 0 && (entry = readdir(folder)) != NULL) {
    const int fd = atoi(entry->d_name);
    if (!has_option(fd, SO_DOMAIN, AF_NETLINK) || !has_option(fd, SO_PROTOCOL, NETLINK_ROUTE)) {
      continue;
    }
    if (setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on) != 0) error = errno;
    count++;
  }
  if (folder != NULL) closedir(folder);
  napi_value result;
  if (error == 0) return napi_create_int32(env, count, &result) == napi_ok ? result : NULL;
  lbd_throw_errno(env, error, "setsockopt");
  return NULL;
}
