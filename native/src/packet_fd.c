// An AF_PACKET socket as a file descriptor: opened, filtered, bound. Knows nothing of JavaScript.

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <string.h>
#include <unistd.h>

#include "lbd_native.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

// The kernel swaps the programs atomically: no frame passes unfiltered in between.
int lbd_packet_filter(int fd, const uint8_t *filter, size_t filter_bytes) {
  // A copy, because the bytes may be unaligned.
  struct sock_filter program[LBD_FILTER_BYTES_MAX / sizeof(struct sock_filter)];
  if (filter_bytes == 0 || filter_bytes > sizeof program ||
      filter_bytes % sizeof program[0] != 0) {
    return EINVAL;
  }
  memcpy(program, filter, filter_bytes);
  struct sock_fprog fprog = {
      .len = (unsigned short)(filter_bytes / sizeof program[0]),
      .filter = program,
  };
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof fprog) == 0 ? 0 : errno;
}

// Ends with the descriptor. The kernel counts: others may want the same of the interface.
int lbd_packet_promiscuous(int fd, int interface_index) {
  const struct packet_mreq request = {
      .mr_ifindex = interface_index,
      .mr_type = PACKET_MR_PROMISC,
  };
  const int result =
      setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request);
  return result == 0 ? 0 : errno;
}

static int set_options(int fd, int receive_buffer_bytes) {
  const int on = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0) return errno;
  // FORCE passes net.core.rmem_max but needs CAP_NET_ADMIN; without it the limit caps the size.
  const int bytes = receive_buffer_bytes;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0) return 0;
  return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0 ? 0 : errno;
}

static int bind_to(int fd, const lbd_packet_options *options) {
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET,
      .sll_protocol = htons(options->ether_type),
      .sll_ifindex = options->interface_index,
  };
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) return errno;
  // Binding to an interface that is down succeeds and leaves ENETDOWN pending. Ask now, so that
  // the caller learns it from the open and not from the first event.
  int pending = 0;
  socklen_t size = sizeof pending;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &size) != 0) return errno;
  return pending;
}

int lbd_packet_open(const lbd_packet_options *options, int *fd, const char **syscall) {
  // Protocol 0 receives nothing, so no frame can queue before the filter is in place.
  *syscall = "socket";
  *fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (*fd < 0) return errno;
  *syscall = "setsockopt";
  int error = lbd_packet_filter(*fd, options->filter, options->filter_bytes);
  if (error == 0) error = set_options(*fd, options->receive_buffer_bytes);
  if (error == 0) {
    *syscall = "bind";
    error = bind_to(*fd, options);
  }
  if (error != 0) {
    close(*fd);
    *fd = -1;
  }
  return error;
}
