/* SPDX-License-Identifier: Apache-2.0
 *
 * lwIP on the sifive_u board: IPv4, sockets, DHCP and DNS. All its memory comes from the heap, so
 * that an application without connections pays nothing; the limits below say how much it can take
 * of it, whatever a peer sends. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#include "sdkconfig.h"

/* --- the system below --- */

#define NO_SYS                        0
#define SYS_LIGHTWEIGHT_PROT          1
#define LWIP_TCPIP_CORE_LOCKING       1
#define LWIP_TCPIP_CORE_LOCKING_INPUT 1
#define LWIP_ERRNO_STDINCLUDE         1
#define LWIP_TIMEVAL_PRIVATE          0
#define LWIP_STATS                    0
#define TCPIP_THREAD_NAME             "tcpip"
#define TCPIP_THREAD_STACKSIZE        CONFIG_LWIP_TCPIP_TASK_STACK_SIZE
#define TCPIP_THREAD_PRIO             CONFIG_LWIP_TCPIP_TASK_PRIO
#define TCPIP_MBOX_SIZE               16
#define DEFAULT_THREAD_STACKSIZE      2048
#define DEFAULT_THREAD_PRIO           1

/* --- memory --- */

#define MEM_ALIGNMENT             4
#define MEM_LIBC_MALLOC           1
#define MEMP_MEM_MALLOC           1
#define MEMP_NUM_NETCONN          CONFIG_LWIP_MAX_SOCKETS
#define PBUF_POOL_SIZE            0
#define DEFAULT_TCP_RECVMBOX_SIZE CONFIG_LWIP_TCP_RECVMBOX_SIZE
#define DEFAULT_UDP_RECVMBOX_SIZE 6
#define DEFAULT_RAW_RECVMBOX_SIZE 6
#define DEFAULT_ACCEPTMBOX_SIZE   4
#define IP_REASS_MAX_PBUFS        6
#define TCP_OOSEQ_MAX_BYTES       TCP_WND
#define TCP_OOSEQ_MAX_PBUFS       10
#define ARP_QUEUE_LEN             2

/* --- protocols --- */

#define LWIP_IPV4                  1
#define LWIP_IPV6                  0
#define LWIP_ICMP                  1
#define LWIP_RAW                   0
#define LWIP_DNS                   1
#define LWIP_DHCP                  1
#define LWIP_DHCP_DOES_ACD_CHECK   0 /* seconds of every boot, for an address a server gave us */
#define LWIP_NETIF_HOSTNAME        1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_LOOPBACK        1
#define LWIP_HAVE_LOOPIF           1
#define TCP_MSS                    CONFIG_LWIP_TCP_MSS
#define TCP_WND                    CONFIG_LWIP_TCP_WND_DEFAULT
#define TCP_SND_BUF                CONFIG_LWIP_TCP_SND_BUF_DEFAULT
#define TCP_SND_QUEUELEN           ((4 * TCP_SND_BUF + TCP_MSS - 1) / TCP_MSS)
#define MEMP_NUM_TCP_SEG           TCP_SND_QUEUELEN
#define LWIP_TCP_RTO_TIME          1000 /* ms, of the first segments; RFC 6298's value */
#define LWIP_TCP_KEEPALIVE         1

/* --- sockets, as functions under their usual names --- */

#define LWIP_COMPAT_SOCKETS         2
#define LWIP_POSIX_SOCKETS_IO_NAMES 1
#define LWIP_SOCKET_OFFSET          3 /* 0 to 2 are the console's streams for everybody */
#define LWIP_SO_RCVTIMEO            1
#define LWIP_SO_SNDTIMEO            1
#define LWIP_SO_RCVBUF              1
#define SO_REUSE                    1
#define LWIP_SOCKET_SELECT          1
#define LWIP_SOCKET_POLL            1

#endif
