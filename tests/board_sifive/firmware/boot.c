/* SPDX-License-Identifier: Apache-2.0
 *
 * The probe in the bootloader's place. */
#include <stddef.h>

#include "formats/bootloader_desc.h"
#include "hal/flash.h"
#include "hal/loader.h"
#include "hal/start.h"
#include "print.h"
#include "probe.h"
#include "sifive_u/watchdog.h"

/* place ADDRESS LEN: what the loader says to such a segment */
static void cmd_place(const uint32_t *args)
{
    const char *why = "";

    hal_loader_reset();
    void *place = hal_loader_place(args[0], args[1], &why);
    print("= place %s\n", place != NULL ? "ok" : why);
}

/* boot OFFSET ADDRESS LEN ENTRY: loads len bytes of flash to address, starts entry. OFFSET counts
 * as the image's. */
static void cmd_boot(const uint32_t *args)
{
    const char *why = "";

    hal_loader_reset();
    void *place = hal_loader_place(args[1], args[2], &why);
    if (place == NULL) {
        print("! %s\n", why);
        return;
    }
    esp_err_t err = hal_flash_init();
    if (err == ESP_OK) {
        err = hal_flash_read(args[0], place, args[2]);
    }
    if (err == ESP_OK) {
        err = hal_loader_start(args[3], args[0]);
    }
    print("! boot %x\n", (uint32_t)err);
}

static const probe_command_t s_more[] = {
    {"place", cmd_place},
    {"boot", cmd_boot},
    {NULL, NULL},
};

_Noreturn void bootloader_main(void)
{
    sifive_u_watchdog_stop();
    probe_serve("probe_boot", s_more);
}
