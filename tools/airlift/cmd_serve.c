/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift serve: firmware over HTTPS. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "commands.h"
#include "serve_http.h"
#include "serve_tls.h"
#include "ui.h"

#define DEFAULT_TIMEOUT_S   30
#define DEFAULT_CONNECTIONS 1024

static void print_help(void)
{
    printf("usage: airlift serve [options] BIN_DIR PORT [CERT_DIR]\n\n"
           "Serves the files of BIN_DIR to devices over HTTPS, on all addresses, until Ctrl-C.\n"
           "PORT 0 takes a free one. CERT_DIR (default: BIN_DIR) holds ca_cert.pem and\n"
           "ca_key.pem, as `airlift cert` makes them.\n\n"
           "  --http               plain HTTP, without certificate\n"
           "  --bind ADDR          listen on this IPv4 or IPv6 address (:: is both kinds)\n"
           "  --tls-min 1.2|1.3    oldest TLS version accepted (default 1.2)\n"
           "  --access-log FILE    append the access lines to FILE, not to standard output\n"
           "  --timeout SECONDS    end connections without progress after this (default %d)\n"
           "  --connections N      most connections at a time (default %d)\n"
           "  --threads N          worker threads (default: one per processor)\n\n"
           "One line is written per request, when it is over:\n"
           "  ADDRESS - - [TIME] \"GET /FILE HTTP/1.1\" STATUS BYTES range=A-B/SIZE time=Tms END\n"
           "END is complete, aborted, timed-out, server-stopped, refused (it was no HTTP), or\n"
           "what happened to the file: file-truncated, file-changed, file-unreadable.\n"
           "Folders are not listed; hidden files, private keys and links that lead out of\n"
           "BIN_DIR are not served.\n",
           DEFAULT_TIMEOUT_S, DEFAULT_CONNECTIONS);
}

struct arguments {
    const char *folder;
    const char *cert_dir;
    const char *bind;
    const char *log_path;
    bool plain;
    bool tls13_only;
    uint64_t port;
    uint64_t timeout_s;
    uint64_t connections;
    uint64_t threads;
};

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* Fills in the address that text names; returns its length, 0 when it is none. */
static socklen_t read_address(const char *text, uint64_t port, union address *address)
{
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &address->in.sin_addr) == 1) {
        address->in.sin_family = AF_INET;
        address->in.sin_port = htons((uint16_t)port);
        return sizeof(address->in);
    }
    if (inet_pton(AF_INET6, text, &address->in6.sin6_addr) == 1) {
        address->in6.sin6_family = AF_INET6;
        address->in6.sin6_port = htons((uint16_t)port);
        return sizeof(address->in6);
    }
    return 0;
}

/* Returns AIRLIFT_EXIT_OK to go on, or -1 when the help was printed. */
static int parse(int argc, char **argv, struct arguments *a)
{
    enum { HTTP = 256, BIND, TLS_MIN, ACCESS_LOG, TIMEOUT, CONNECTIONS, THREADS };
    static const struct option options[] = {
        {"http", no_argument, NULL, HTTP},
        {"bind", required_argument, NULL, BIND},
        {"tls-min", required_argument, NULL, TLS_MIN},
        {"access-log", required_argument, NULL, ACCESS_LOG},
        {"timeout", required_argument, NULL, TIMEOUT},
        {"connections", required_argument, NULL, CONNECTIONS},
        {"threads", required_argument, NULL, THREADS},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    union address address;
    int c;

    *a = (struct arguments){
        .bind = "0.0.0.0",
        .timeout_s = DEFAULT_TIMEOUT_S,
        .connections = DEFAULT_CONNECTIONS,
        .threads = processors > 64  ? 64
                   : processors > 1 ? (uint64_t)processors
                                    : 1,
    };
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case HTTP:
            a->plain = true;
            break;
        case BIND:
            a->bind = optarg;
            break;
        case TLS_MIN:
            if (strcmp(optarg, "1.3") == 0) {
                a->tls13_only = true;
            } else if (strcmp(optarg, "1.2") == 0) {
                a->tls13_only = false;
            } else {
                return ui_usage_error("serve", "--tls-min: %s: must be 1.2 or 1.3", optarg);
            }
            break;
        case ACCESS_LOG:
            a->log_path = optarg;
            break;
        case TIMEOUT:
            if (!ui_parse_number(optarg, false, 86400, &a->timeout_s) || a->timeout_s == 0) {
                return ui_usage_error("serve", "--timeout: %s: must be 1 to 86400 seconds", optarg);
            }
            break;
        case CONNECTIONS:
            if (!ui_parse_number(optarg, false, 100000, &a->connections) || a->connections == 0) {
                return ui_usage_error("serve", "--connections: %s: must be 1 to 100000", optarg);
            }
            break;
        case THREADS:
            if (!ui_parse_number(optarg, false, 256, &a->threads) || a->threads == 0) {
                return ui_usage_error("serve", "--threads: %s: must be 1 to 256", optarg);
            }
            break;
        case 'h':
            print_help();
            return -1;
        default:
            return ui_bad_option("serve", argc, argv);
        }
    }
    argc -= optind;
    argv += optind;
    if (argc < 2 || argc > 3) {
        return ui_usage_error("serve", "BIN_DIR, PORT and perhaps CERT_DIR are expected");
    }
    a->folder = argv[0];
    if (!ui_parse_number(argv[1], false, 65535, &a->port)) {
        return ui_usage_error("serve", "PORT: %s: must be 0 to 65535", argv[1]);
    }
    if (read_address(a->bind, a->port, &address) == 0) {
        return ui_usage_error("serve", "--bind: %s: must be an IPv4 or IPv6 address", a->bind);
    }
    a->cert_dir = argc == 3 ? argv[2] : argv[0];
    if (a->plain && (argc == 3 || a->tls13_only)) {
        return ui_usage_error("serve", "--http has no use for CERT_DIR or --tls-min");
    }
    if (a->connections < a->threads) {
        a->threads = a->connections;
    }
    return AIRLIFT_EXIT_OK;
}

/* Opens the listening socket. *port becomes the real one; `url_host` the address as a URL has it.
 * Returns -1 after explaining. */
static int open_listener(const struct arguments *a, unsigned *port, char *url_host, size_t size)
{
    union address address;
    socklen_t len = read_address(a->bind, a->port, &address);
    int one = 1;
    int zero = 0;
    int fd;

    snprintf(url_host, size, address.any.sa_family == AF_INET6 ? "[%s]" : "%s", a->bind);
    fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        ui_error("socket: %s", strerror(errno));
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (address.any.sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    }
    if (bind(fd, &address.any, len) != 0 || listen(fd, 1024) != 0) {
        if (errno == EADDRINUSE) {
            ui_error("%s port %u: another program listens there; PORT 0 takes a free one", a->bind,
                     (unsigned)a->port);
        } else {
            ui_error("%s port %u: cannot listen there: %s", a->bind, (unsigned)a->port,
                     strerror(errno));
        }
        close(fd);
        return -1;
    }
    len = sizeof(address);
    if (getsockname(fd, &address.any, &len) != 0) {
        ui_error("getsockname: %s", strerror(errno));
        close(fd);
        return -1;
    }
    *port = ntohs(address.any.sa_family == AF_INET6 ? address.in6.sin6_port : address.in.sin_port);
    return fd;
}

/* A connection needs a socket and, during a response, a file. */
static unsigned allow_connections(unsigned wanted)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)wanted * 2 + 64;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return wanted;
    }
    if (limit.rlim_cur < need) {
        limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            getrlimit(RLIMIT_NOFILE, &limit);
        }
    }
    if (limit.rlim_cur < need) {
        unsigned possible = limit.rlim_cur > 66 ? (unsigned)((limit.rlim_cur - 64) / 2) : 1;

        ui_warning("the limit of open files allows %u connections instead of %u", possible, wanted);
        return possible;
    }
    return wanted;
}

/* Serves until a signal asks to stop. */
static int serve_until_signal(const struct arguments *a, struct serve_config *config,
                              const struct serve_identity *identity)
{
    char host[64];
    unsigned port;
    struct serve *serve;
    sigset_t stop;
    int number;

    config->listen_fd = open_listener(a, &port, host, sizeof(host));
    if (config->listen_fd < 0) {
        return AIRLIFT_EXIT_FAILURE;
    }
    /* Every response has buffers; giving them back to the kernel each time costs page faults. */
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    serve = serve_start(config);
    if (serve == NULL) {
        return AIRLIFT_EXIT_FAILURE;
    }
    if (!a->plain) {
        printf("Certificate for %s, until %s\n", identity->names, identity->expires);
    }
    printf("Starting %s server at \"%s://%s:%u\"\n", a->plain ? "HTTP" : "HTTPS",
           a->plain ? "http" : "https", host, port);
    fflush(stdout);
    do {
        uint64_t ms = serve_expire(serve);
        struct timespec wait = {(time_t)(ms / 1000u), (long)(ms % 1000u) * 1000000};

        number = sigtimedwait(&stop, NULL, &wait);
    } while (number < 0); /* EAGAIN: time to look again; EINTR: any other signal */
    serve_stop(serve);
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    return AIRLIFT_EXIT_OK;
}

static int run(int argc, char **argv)
{
    struct arguments a;
    struct serve_config config = {0};
    struct serve_identity identity = {0};
    int status = parse(argc, argv, &a);

    if (status != AIRLIFT_EXIT_OK) {
        return status < 0 ? AIRLIFT_EXIT_OK : status;
    }
    status = AIRLIFT_EXIT_FAILURE;
    config.root_fd = open(a.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (config.root_fd < 0) {
        ui_error("%s: folder cannot be opened: %s", a.folder, strerror(errno));
        return status;
    }
    config.access_log = stdout;
    if (a.log_path != NULL && (config.access_log = fopen(a.log_path, "ae")) == NULL) {
        ui_error("%s: cannot be opened: %s", a.log_path, strerror(errno));
        close(config.root_fd);
        return status;
    }
    setvbuf(config.access_log, NULL, _IOLBF, BUFSIZ);
    if (a.plain || serve_identity_load(a.cert_dir, &identity)) {
        config.cert_pem = identity.cert_pem;
        config.key_pem = identity.key_pem;
        config.key_dev = identity.key_dev;
        config.key_ino = identity.key_ino;
        config.tls13_only = a.tls13_only;
        config.timeout_s = (unsigned)a.timeout_s;
        config.connections = allow_connections((unsigned)a.connections);
        config.threads = (unsigned)a.threads;
        if (config.threads > config.connections) {
            config.threads = config.connections;
        }
        status = serve_until_signal(&a, &config, &identity);
        serve_identity_free(&identity);
    }
    if (config.access_log != stdout && fclose(config.access_log) != 0) {
        ui_error("%s: cannot be written: %s", a.log_path, strerror(errno));
        status = AIRLIFT_EXIT_FAILURE;
    }
    close(config.root_fd);
    return status;
}

const airlift_cmd_t airlift_cmd_serve = {
    .name = "serve",
    .summary = "serve firmware files over HTTPS",
    .run = run,
};
