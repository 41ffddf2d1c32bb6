/* SPDX-License-Identifier: Apache-2.0 */
#include "emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sifive_u/board.h"

#define QEMU         "qemu-system-riscv32"
#define QEMU_PACKAGE "qemu-system-misc (Debian 12) or qemu-system-riscv (Debian 13)"

/* The emulator answers at once or is dead; the host may be busy. */
#define ANSWER_MS 20000

#define ARGUMENTS_MAX 80

/* The network cable, for set_link. */
#define NETWORK "net0"

static bool fail(char error[EMULATOR_ERROR_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(char error[EMULATOR_ERROR_SIZE], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, EMULATOR_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* --- the command line --- */

typedef struct {
    char *words[ARGUMENTS_MAX];
    unsigned count;
    bool failed;
} command_t;

static void add(command_t *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(command_t *command, const char *format, ...)
{
    char *word = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (command->count + 1 < ARGUMENTS_MAX && vasprintf(&word, format, arguments) >= 0) {
        command->words[command->count++] = word;
    } else {
        command->failed = true;
    }
    va_end(arguments);
}

static void free_command(command_t *command)
{
    for (unsigned i = 0; i < command->count; i++) {
        free(command->words[i]);
    }
}

/* A comma ends an option's value unless it is written twice. */
static bool quote(const char *path, char quoted[2 * PATH_MAX])
{
    size_t at = 0;
    for (; *path != '\0'; path++) {
        if (at + 3 > 2 * PATH_MAX) {
            return false;
        }
        if (*path == ',') {
            quoted[at++] = ',';
        }
        quoted[at++] = *path;
    }
    quoted[at] = '\0';
    return true;
}

/* The descriptors the emulator inherits. The network's are open only if it loses frames. */
enum { MONITOR, MEMORY, STATUS, UP_FROM, UP_TO, DOWN_FROM, DOWN_TO, LINES };

static const char *const line_names[LINES] = {"monitor", "memory",    "status", "up-from",
                                              "up-to",   "down-from", "down-to"};

/* All frames of one direction leave the emulator by one line and come back by another. */
static void add_detour(command_t *command, const char *name, const char *queue)
{
    add(command, "-object");
    add(command, "filter-redirector,id=%s,netdev=" NETWORK ",queue=%s,outdev=%s-from,indev=%s-to",
        name, queue, name, name);
}

static void build_command(command_t *command, const sifive_u_options_t *board, const char *flash,
                          int seed, const int lines[LINES])
{
    add(command, "%s", board->qemu != NULL ? board->qemu : QEMU);
    add(command, "-nodefaults");
    add(command, "-M");
    add(command, "sifive_u,msel=1");
    add(command, "-display");
    add(command, "none");
    add(command, "-S");
    add(command, "-bios");
    add(command, "%s", board->rom_path);
    add(command, "-drive");
    /* The host's page cache is enough: it outlives the emulator. */
    add(command, "if=mtd,format=raw,cache=unsafe,file=%s", flash);
    /* One writer, so that the file sees flash operations in their order. */
    add(command, "-object");
    add(command, "main-loop,id=main-loop,thread-pool-max=1");
    add(command, "-device");
    add(command, "loader,file=/proc/self/fd/%d,addr=0x%08x,force-raw=on", seed, SIFIVE_U_SEED_BASE);
    add(command, "-chardev");
    add(command, "stdio,id=console,signal=off");
    add(command, "-serial");
    add(command, "chardev:console");
    for (int i = 0; i < LINES; i++) {
        if (lines[i] >= 0) {
            add(command, "-chardev");
            add(command, "socket,id=%s,fd=%d", line_names[i], lines[i]);
        }
    }
    add(command, "-serial");
    add(command, "chardev:status");
    add(command, "-mon");
    add(command, "chardev=monitor,mode=control");
    add(command, "-object");
    add(command, "qtest,id=qtest,chardev=memory,log=/dev/null");
    char network[4096];
    size_t len = (size_t)snprintf(network, sizeof(network), "user,id=" NETWORK);
    for (size_t i = 0; i < board->forward_count && len < sizeof(network) - 64; i++) {
        len +=
            (size_t)snprintf(network + len, sizeof(network) - len, ",hostfwd=tcp:127.0.0.1:%u-:%u",
                             board->forwards[i].host, board->forwards[i].board);
    }
    add(command, "-nic");
    add(command, "%s", network);
    if (lines[UP_FROM] >= 0) {
        add_detour(command, "up", "rx"); /* as the network sees it */
        add_detour(command, "down", "tx");
    }
    command->words[command->count] = NULL;
}

/* --- talking to it --- */

static bool send_text(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        text += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* Reads one line without its end; what does not fit is dropped. */
static bool read_line(int fd, char *line, size_t size)
{
    size_t len = 0;
    for (;;) {
        struct pollfd event = {.fd = fd, .events = POLLIN};
        int count = poll(&event, 1, ANSWER_MS);
        char c;
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0 || read(fd, &c, 1) != 1) {
            return false;
        }
        if (c == '\n') {
            line[len] = '\0';
            return true;
        }
        if (len + 1 < size) {
            line[len++] = c;
        }
    }
}

/* Sends a command with the JSON text of its arguments ("": none) and waits for its answer; events
 * in between are of no use. */
static bool monitor_command(emulator_t *emulator, const char *name, const char *arguments)
{
    char line[256];
    snprintf(line, sizeof(line), "{\"execute\": \"%s\"%s%s}\n", name,
             arguments[0] != '\0' ? ", \"arguments\": " : "", arguments);
    if (!send_text(emulator->monitor, line)) {
        return false;
    }
    while (read_line(emulator->monitor, line, sizeof(line))) {
        if (strncmp(line, "{\"return\"", 9) == 0) {
            return true;
        }
        if (strncmp(line, "{\"error\"", 8) == 0) {
            return false;
        }
    }
    return false;
}

/* --- the process --- */

/* A memory file with fresh random bytes for the board, or -1. */
static int make_seed(void)
{
    sifive_u_seed_t seed = {.magic = SIFIVE_U_SEED_MAGIC};
    int fd = memfd_create("seed", MFD_CLOEXEC);
    if (fd < 0 || getrandom(&seed.id, sizeof(seed.id), 0) != (ssize_t)sizeof(seed.id) ||
        getrandom(seed.bytes, sizeof(seed.bytes), 0) != (ssize_t)sizeof(seed.bytes) ||
        write(fd, &seed, sizeof(seed)) != (ssize_t)sizeof(seed)) {
        close_fd(&fd);
    }
    return fd;
}

static void keep_over_exec(int fd)
{
    if (fd >= 0) {
        fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) & ~FD_CLOEXEC);
    }
}

static _Noreturn void become_emulator(const emulator_wires_t *wires, char *const *command, int seed,
                                      const int lines[LINES], pid_t parent)
{
    /* The board does not outlive its runner, however that ends. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    /* Keys such as Ctrl-C are for the runner alone. */
    setsid();
    sigprocmask(SIG_SETMASK, wires->signal_mask, NULL);
    dup2(wires->console_in, STDIN_FILENO);
    dup2(wires->console_out, STDOUT_FILENO);
    keep_over_exec(seed);
    for (int i = 0; i < LINES; i++) {
        keep_over_exec(lines[i]);
    }
    execvp(command[0], command);
    dprintf(STDERR_FILENO, "%s: %s\n", command[0], strerror(errno));
    _exit(127);
}

static bool in_path(const char *program)
{
    if (strchr(program, '/') != NULL) {
        return access(program, X_OK) == 0;
    }
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        char file[PATH_MAX];
        int written = snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, program);
        if (written > 0 && written < (int)sizeof(file) && access(file, X_OK) == 0) {
            return true;
        }
        path += len;
        path += *path == ':';
    }
    return false;
}

/* The emulator would not say what is wrong with a port. */
static bool can_listen(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    bool can = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return can;
}

void emulator_init(emulator_t *emulator)
{
    emulator->pid = 0;
    emulator->monitor = emulator->memory = emulator->status = -1;
    emulator->up.from = emulator->up.to = -1;
    emulator->down.from = emulator->down.to = -1;
}

bool emulator_start(emulator_t *emulator, const sifive_u_options_t *board,
                    const emulator_wires_t *wires, char error[EMULATOR_ERROR_SIZE])
{
    const char *program = board->qemu != NULL ? board->qemu : QEMU;
    if (!in_path(program)) {
        return fail(error, "%s is missing: install the package %s", program, QEMU_PACKAGE);
    }
    if (access(board->rom_path, R_OK) != 0) {
        return fail(error, "%s: %s", board->rom_path, strerror(errno));
    }
    for (size_t i = 0; i < board->forward_count; i++) {
        if (!can_listen(board->forwards[i].host)) {
            return fail(error, "port %u of 127.0.0.1 cannot be forwarded: %s",
                        board->forwards[i].host, strerror(errno));
        }
    }
    char flash[2 * PATH_MAX];
    if (!quote(wires->flash_path, flash)) {
        return fail(error, "%s: the name is too long", wires->flash_path);
    }
    int pairs[LINES][2];
    int lines[LINES];
    int wanted = wires->loss_percent > 0 ? LINES : UP_FROM;
    int seed = make_seed();
    uint64_t dice[2];
    bool ready = seed >= 0 && getrandom(dice, sizeof(dice), 0) == (ssize_t)sizeof(dice);
    for (int i = 0; i < LINES; i++) {
        pairs[i][0] = pairs[i][1] = -1;
        if (ready && i < wanted) {
            ready = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]) == 0;
        }
        lines[i] = pairs[i][1];
    }
    if (!ready) {
        fail(error, "cannot start the emulator: %s", strerror(errno));
    } else {
        command_t command = {0};
        build_command(&command, board, flash, seed, lines);
        pid_t parent = getpid();
        pid_t child = command.failed ? -1 : fork();
        if (child == 0) {
            become_emulator(wires, command.words, seed, lines, parent);
        }
        ready = child > 0;
        if (ready) {
            emulator->pid = child;
        } else {
            fail(error, "cannot start the emulator: %s", strerror(errno));
        }
        free_command(&command);
    }
    close_fd(&seed);
    for (int i = 0; i < LINES; i++) {
        close_fd(&pairs[i][1]);
    }
    emulator->monitor = pairs[MONITOR][0];
    emulator->memory = pairs[MEMORY][0];
    emulator->status = pairs[STATUS][0];
    if (wanted == LINES) {
        lossy_wire_open(&emulator->up, pairs[UP_FROM][0], pairs[UP_TO][0], wires->loss_percent,
                        dice[0]);
        lossy_wire_open(&emulator->down, pairs[DOWN_FROM][0], pairs[DOWN_TO][0],
                        wires->loss_percent, dice[1]);
    }
    if (!ready) {
        emulator_stop(emulator);
        return false;
    }
    if (!monitor_command(emulator, "qmp_capabilities", "")) {
        fail(error, "the emulator did not start");
        emulator_stop(emulator);
        return false;
    }
    fcntl(emulator->status, F_SETFL, O_NONBLOCK);
    return true;
}

bool emulator_ended(emulator_t *emulator)
{
    if (emulator->pid > 0 &&
        waitpid(emulator->pid, &emulator->exit_status, WNOHANG) == emulator->pid) {
        emulator->pid = 0;
    }
    return emulator->pid == 0;
}

/* The board goes on when a flash operation has been handed to a thread of the emulator; what was
 * done must be in the file before the emulator is killed. Stopping the board waits for it. */
static void finish_writing(emulator_t *emulator)
{
    (void)monitor_command(emulator, "stop", "");
}

void emulator_stop(emulator_t *emulator)
{
    if (emulator->pid > 0) {
        finish_writing(emulator);
        kill(emulator->pid, SIGKILL);
        while (waitpid(emulator->pid, &emulator->exit_status, 0) < 0 && errno == EINTR) {
        }
        emulator->pid = 0;
    }
    close_fd(&emulator->monitor);
    close_fd(&emulator->memory);
    close_fd(&emulator->status);
    lossy_wire_close(&emulator->up);
    lossy_wire_close(&emulator->down);
}

bool emulator_run(emulator_t *emulator)
{
    return monitor_command(emulator, "cont", "");
}

bool emulator_reset(emulator_t *emulator)
{
    return monitor_command(emulator, "system_reset", "");
}

bool emulator_set_link(emulator_t *emulator, bool up)
{
    char arguments[64];
    snprintf(arguments, sizeof(arguments), "{\"name\": \"" NETWORK "\", \"up\": %s}",
             up ? "true" : "false");
    return monitor_command(emulator, "set_link", arguments);
}

static void move_frames(lossy_wire_t *wire)
{
    if (wire->from >= 0 && !lossy_wire_move(wire)) {
        lossy_wire_close(wire); /* the emulator has ended, which its parent is told */
    }
}

void emulator_move_frames(emulator_t *emulator)
{
    move_frames(&emulator->up);
    move_frames(&emulator->down);
}

bool emulator_read(emulator_t *emulator, uint32_t address, uint32_t *value)
{
    char line[64];
    uint64_t number;
    snprintf(line, sizeof(line), "readl 0x%" PRIx32 "\n", address);
    if (!send_text(emulator->memory, line) || !read_line(emulator->memory, line, sizeof(line)) ||
        sscanf(line, "OK 0x%" SCNx64, &number) != 1) {
        return false;
    }
    *value = (uint32_t)number;
    return true;
}

bool emulator_write(emulator_t *emulator, uint32_t address, uint32_t value)
{
    char line[64];
    snprintf(line, sizeof(line), "writel 0x%" PRIx32 " 0x%" PRIx32 "\n", address, value);
    return send_text(emulator->memory, line) && read_line(emulator->memory, line, sizeof(line)) &&
           strncmp(line, "OK", 2) == 0;
}
