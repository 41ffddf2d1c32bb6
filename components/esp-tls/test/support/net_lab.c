/* SPDX-License-Identifier: Apache-2.0 */
#include "net_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp_log.h"

static void die(const char *what)
{
    fprintf(stderr, "net_lab: %s: %s\n", what, strerror(errno));
    abort();
}

/* --- Log --- */

static pthread_mutex_t s_log_lock = PTHREAD_MUTEX_INITIALIZER;
static char s_log[256 * 1024];
static size_t s_log_len;

static int keep_log(const char *format, va_list args)
{
    pthread_mutex_lock(&s_log_lock);
    int len = vsnprintf(s_log + s_log_len, sizeof(s_log) - s_log_len, format, args);
    if (len > 0) {
        size_t room = sizeof(s_log) - s_log_len - 1;
        fwrite(s_log + s_log_len, 1, (size_t)len < room ? (size_t)len : room, stderr);
        s_log_len += (size_t)len < room ? (size_t)len : room;
    }
    pthread_mutex_unlock(&s_log_lock);
    return len;
}

void lab_log_start(void)
{
    pthread_mutex_lock(&s_log_lock);
    s_log_len = 0;
    s_log[0] = '\0';
    pthread_mutex_unlock(&s_log_lock);
    esp_log_set_vprintf(keep_log);
}

const char *lab_log(void)
{
    return s_log;
}

bool lab_log_has(const char *text)
{
    return strstr(s_log, text) != NULL;
}

int lab_log_count(const char *text)
{
    int count = 0;
    for (const char *p = s_log; (p = strstr(p, text)) != NULL; p += strlen(text)) {
        count++;
    }
    return count;
}

/* --- Certificates --- */

void lab_run(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    if (system(command) != 0) {
        fprintf(stderr, "net_lab: failed: %s\n", command);
        abort();
    }
}

#define NEW_KEY "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

void lab_self_signed(const char *name, const char *subject, const char *alt_names)
{
    lab_run("openssl req -x509 " NEW_KEY " -sha256 -days 3650 -keyout %s.key -out %s.pem "
            "-subj '%s' %s%s%s 2>/dev/null",
            name, name, subject, alt_names ? "-addext 'subjectAltName=" : "",
            alt_names ? alt_names : "", alt_names ? "'" : "");
}

void lab_signed_by(const char *name, const char *subject, const char *alt_names, const char *ca)
{
    lab_run("openssl req " NEW_KEY " -keyout %s.key -out %s.csr -subj '%s' 2>/dev/null", name, name,
            subject);
    lab_run("printf '%s%s\\n' > %s.ext", alt_names ? "subjectAltName=" : "",
            alt_names ? alt_names : "", name);
    lab_run("openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial -days 3650 "
            "-sha256 -extfile %s.ext -out %s.pem 2>/dev/null",
            name, ca, ca, name, name);
}

char *lab_read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        die(path);
    }
    char *data = calloc(1, (size_t)info.st_size + 1);
    if (data == NULL || fread(data, 1, (size_t)info.st_size, file) != (size_t)info.st_size) {
        die(path);
    }
    fclose(file);
    if (len != NULL) {
        *len = (size_t)info.st_size;
    }
    return data;
}

void lab_write_file(const char *path, const void *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, len, file) != len || fclose(file) != 0) {
        die(path);
    }
}

/* --- TLS servers --- */

/* Reads s_server's output up to the line that names its port. */
static int read_accept_line(int fd)
{
    char text[2048] = "";
    size_t len = 0;
    while (len < sizeof(text) - 1) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        if (poll(&item, 1, 90000) <= 0 || read(fd, text + len, 1) != 1) {
            die("openssl s_server did not start");
        }
        text[++len] = '\0';
        char *accept = strstr(text, "ACCEPT");
        char *end = accept != NULL ? strchr(accept, '\n') : NULL;
        if (end != NULL) {
            *end = '\0';
            char *colon = strrchr(accept, ':');
            return colon != NULL ? atoi(colon + 1) : -1;
        }
    }
    return -1;
}

/* With -quiet it says nothing; the kernel's list of listening sockets does. */
static int wait_until_listening(int port)
{
    char wanted[32];
    snprintf(wanted, sizeof(wanted), "0100007F:%04X 00000000:0000 0A", port);
    for (int tries = 0; tries < 9000; tries++) {
        char table[65536];
        int fd = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC);
        size_t len = 0;
        ssize_t got;
        while ((got = read(fd, table + len, sizeof(table) - 1 - len)) > 0) {
            len += (size_t)got;
        }
        close(fd);
        table[len] = '\0';
        if (strstr(table, wanted) != NULL) {
            return port;
        }
        usleep(10000);
    }
    die("openssl s_server does not listen");
    return -1;
}

lab_tls_server_t lab_tls_server(const char *name, const char *arguments)
{
    bool quiet = arguments != NULL && strstr(arguments, "-quiet") != NULL;
    int port = quiet ? lab_closed_port() : 0;
    int to[2];
    int from[2];
    if (pipe(to) != 0 || pipe(from) != 0) {
        die("pipe");
    }
    pid_t pid = fork();
    if (pid < 0) {
        die("fork");
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        for (int fd = 3; fd < 256; fd++) {
            close(fd);
        }
        char command[1024];
        snprintf(command, sizeof(command),
                 "exec openssl s_server -accept 127.0.0.1:%d -cert %s.pem -key %s.key -4 %s "
                 "2>/dev/null",
                 port, name, name, arguments != NULL ? arguments : "");
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    fcntl(to[1], F_SETFD, FD_CLOEXEC);
    fcntl(from[0], F_SETFD, FD_CLOEXEC);
    lab_tls_server_t server = {.pid = pid, .in = to[1], .out = from[0]};
    server.port = quiet ? wait_until_listening(port) : read_accept_line(server.out);
    if (server.port <= 0) {
        die("openssl s_server says no port");
    }
    return server;
}

void lab_tls_server_kill(lab_tls_server_t *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    close(server->in);
    close(server->out);
    server->pid = -1;
}

/* --- Plain TCP servers --- */

struct lab_server {
    int listener;
    int port;
    int connections;
    bool wait_request;
    lab_script_t script;
    void *arg;
    pthread_t thread;
};

void lab_read_request(int fd, char *buf, size_t size)
{
    size_t len = 0;
    buf[0] = '\0';
    while (len + 1 < size && strstr(buf, "\r\n\r\n") == NULL) {
        ssize_t got = recv(fd, buf + len, 1, 0);
        if (got <= 0) {
            return;
        }
        len += (size_t)got;
        buf[len] = '\0';
    }
}

static void *serve(void *arg)
{
    lab_server_t *server = arg;
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        char request[8192] = "";
        if (server->wait_request) {
            lab_read_request(fd, request, sizeof(request));
        }
        server->script(fd, request, server->connections++, server->arg);
        shutdown(fd, SHUT_WR);
        /* Unread input would turn the end into a reset. */
        while (recv(fd, request, sizeof(request), MSG_DONTWAIT) > 0) {
        }
        close(fd);
    }
}

static int listen_somewhere(int *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 16) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        die("listen");
    }
    *port = ntohs(address.sin_port);
    return fd;
}

lab_server_t *lab_server_start(lab_script_t script, void *arg, bool wait_request)
{
    lab_server_t *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        die("calloc");
    }
    server->listener = listen_somewhere(&server->port);
    server->script = script;
    server->arg = arg;
    server->wait_request = wait_request;
    if (pthread_create(&server->thread, NULL, serve, server) != 0) {
        die("pthread_create");
    }
    return server;
}

int lab_server_port(const lab_server_t *server)
{
    return server->port;
}

int lab_server_connections(const lab_server_t *server)
{
    return server->connections;
}

void lab_server_stop(lab_server_t *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    free(server);
}

void lab_send(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; /* the client may have had enough */
        }
        text += sent;
        len -= (size_t)sent;
    }
}

/* Below the ports that the kernel gives out by itself: one of those could be given to any
 * connection or server of a test beside this one. */
int lab_closed_port(void)
{
    FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    unsigned first;
    if (range == NULL || fscanf(range, "%u", &first) != 1) {
        die("ip_local_port_range");
    }
    fclose(range);
    for (;;) {
        uint16_t dice;
        if (getrandom(&dice, sizeof(dice), 0) != sizeof(dice)) {
            die("getrandom");
        }
        uint16_t port = (uint16_t)(first / 2 + dice % (first / 2));
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY), .sin_port = htons(port)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            die("socket");
        }
        bool free_now = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        close(fd);
        if (free_now) {
            return port;
        }
    }
}
