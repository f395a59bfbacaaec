/* SPDX-License-Identifier: Apache-2.0
 *
 * Any thread, no state. Includes base only.
 */
#include "rest/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 511 };

/* The socket, or -1 with errno. */
static int open_one(int family, const struct sockaddr *addr, socklen_t len) {
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1, off = 0;
  if (fd < 0)
    return -1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      (family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
      bind(fd, addr, len) == 0 && listen(fd, BACKLOG) == 0)
    return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

static int open_all_interfaces(uint16_t port) {
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
  int fd = open_one(AF_INET6, (const struct sockaddr *)&six, sizeof six);
  if (fd >= 0 || errno == EADDRINUSE || errno == EACCES)
    return fd;
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
  return open_one(AF_INET, (const struct sockaddr *)&four, sizeof four);
}

static uint16_t port_of(int fd) {
  struct sockaddr_storage addr = {0};
  socklen_t len = sizeof addr;
  if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
    return 0;
  return ntohs(addr.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&addr)->sin6_port
                                          : ((const struct sockaddr_in *)&addr)->sin_port);
}

int cl_listen_open(const char *host, uint16_t port, int *fd, uint16_t *bound, struct cl_err *err) {
  *fd = -1;
  if (*host == 0) {
    *fd = open_all_interfaces(port);
  } else {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    int rc = getaddrinfo(host, service, &hints, &found);
    if (rc != 0)
      return cl_err_set(err, CL_EIO, "REST listener: cannot resolve host %s: %s", host, gai_strerror(rc));
    /* IPv4 first, as Java does: "localhost" must answer on 127.0.0.1 */
    for (int other = 0; other <= 1; other++)
      for (struct addrinfo *a = found; a && *fd < 0; a = a->ai_next)
        if ((a->ai_family != AF_INET) == other)
          *fd = open_one(a->ai_family, a->ai_addr, a->ai_addrlen);
    int saved = errno;
    freeaddrinfo(found);
    errno = saved;
  }
  if (*fd < 0)
    return cl_err_set(err, CL_EIO,
                      "REST listener: cannot listen on %s:%u: %s; %schange listeners in the worker file",
                      *host ? host : "*", port, strerror(errno),
                      errno == EADDRINUSE ? "stop the program that has this port, or " : "");
  *bound = port_of(*fd);
  return 0;
}
