/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sifive_u_host/runner.h"

#define FORWARDS_MAX 4

static void show(const char *text, void *arg)
{
    (void)arg;
    fprintf(stderr, "--- %s\n", text);
}

int main(int argc, char **argv)
{
    sifive_u_forward_t forwards[FORWARDS_MAX];
    sifive_u_options_t board = {.forwards = forwards, .qemu = getenv("RUN_QEMU")};
    const char *until = getenv("RUN_UNTIL");
    const char *resets = getenv("RUN_MAX_RESETS");
    const char *seconds = getenv("RUN_TIMEOUT");
    linux_run_options_t options = {
        .until = &until,
        .until_count = until != NULL,
        .max_resets = resets != NULL ? (uint32_t)atoi(resets) : LINUX_RUN_NO_LIMIT,
        .timeout_s = seconds != NULL ? atof(seconds) : 0,
        .remark = show,
    };
    linux_run_report_t report;

    if (argc < 3 || argc - 3 > FORWARDS_MAX) {
        return 2;
    }
    options.flash_path = argv[1];
    board.rom_path = argv[2];
    for (int i = 3; i < argc; i++) {
        unsigned host, guest;
        if (sscanf(argv[i], "%u:%u", &host, &guest) != 2) {
            return 2;
        }
        forwards[board.forward_count++] = (sifive_u_forward_t){(uint16_t)host, (uint16_t)guest};
    }
    linux_run_result_t result = sifive_u_run(&options, &board, &report);
    fprintf(stderr, "resets: %u\n", report.resets);
    return (int)result;
}
