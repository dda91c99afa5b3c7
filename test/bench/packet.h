// A packet socket on one interface for the C programs of the benches. Errors end the program with a
// text: these are tools, not parts of the daemon.

#ifndef PACKET_H
#define PACKET_H

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static inline void die(const char *what) {
  fprintf(stderr, "Cannot %s: %s\n", what, strerror(errno));
  exit(1);
}

// Receives frames of that EtherType which the program of `count` instructions lets through. The
// benches compare how fast frames are answered, so all of them filter in the kernel.
static inline int open_packet_socket(const char *interface_name, uint16_t ether_type,
                                     struct sock_filter *program, unsigned short count) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) die("open a packet socket");
  const struct sock_fprog fprog = {count, program};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof fprog) != 0) {
    die("attach a filter");
  }
  const int buffer_bytes = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET,
      .sll_protocol = htons(ether_type),
      .sll_ifindex = (int)if_nametoindex(interface_name),
  };
  if (address.sll_ifindex == 0) die("find the interface");
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) die("bind to the interface");
  return fd;
}

#endif
