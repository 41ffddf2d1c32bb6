/* SPDX-License-Identifier: Apache-2.0
 *
 * From the board's hand-over to app_main(). Tools and tests wait for some of these lines; their
 * texts and order are those of ESP-IDF (interface specification, section 12.1), their values the
 * board's. */
#include <stdio.h>

#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_flash.h"
#include "esp_log.h"
#include "esp_rom_sys.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "hal/chip.h"
#include "hal/clock.h"
#include "hal/start.h"
#include "heap_memory.h"

#define MAIN_TASK_PRIORITY (tskIDLE_PRIORITY + 1)

/* The application. */
void app_main(void);

/* app_update's; absent without rollback, without that component, and where its warning is off. */
void ota_watch_confirmation(void) __attribute__((weak));

static void print_cpu(void)
{
    static const char TAG[] = "cpu_start";

    ESP_LOGI(TAG, "Unicore app");
    ESP_LOGI(TAG, "Pro cpu start user code");
#if defined(CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ) && CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ > 0
    ESP_LOGI(TAG, "cpu freq: %d Hz", CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ * 1000000);
#endif
}

static void print_application(void)
{
    static const char TAG[] = "app_init";
    const esp_app_desc_t *app = esp_app_get_description();

    /* The descriptor's texts may fill their fields. */
    ESP_LOGI(TAG, "Application information:");
#ifndef CONFIG_APP_EXCLUDE_PROJECT_NAME_VAR
    ESP_LOGI(TAG, "Project name:     %.*s", (int)sizeof(app->project_name), app->project_name);
#endif
#ifndef CONFIG_APP_EXCLUDE_PROJECT_VER_VAR
    ESP_LOGI(TAG, "App version:      %.*s", (int)sizeof(app->version), app->version);
#endif
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    ESP_LOGI(TAG, "Secure version:   %u", (unsigned)app->secure_version);
#endif
#ifdef CONFIG_APP_COMPILE_TIME_DATE
    ESP_LOGI(TAG, "Compile time:     %.*s %.*s", (int)sizeof(app->date), app->date,
             (int)sizeof(app->time), app->time);
#endif
    ESP_LOGI(TAG, "ELF file SHA256:  %s...", esp_app_get_elf_sha256_str());
    ESP_LOGI(TAG, "ESP-IDF:          %.*s", (int)sizeof(app->idf_ver), app->idf_ver);
}

static void print_revisions(void)
{
    static const char TAG[] = "efuse_init";
    unsigned revision = hal_chip_revision();
    unsigned highest = hal_chip()->rev_max;

    ESP_LOGI(TAG, "Min chip rev:     v%u.%u", 0u, 0u);
    ESP_LOGI(TAG, "Max chip rev:     v%u.%u ", highest / 100, highest % 100);
    ESP_LOGI(TAG, "Chip rev:         v%u.%u", revision / 100, revision % 100);
}

static void print_heap(void)
{
    static const char TAG[] = "heap_init";
    heap_region_t region = heap_memory_region();

    ESP_LOGI(TAG, "Initializing. RAM available for dynamic allocation:");
    ESP_LOGI(TAG, "At %08X len %08X (%u KiB): %s", (unsigned)region.start, (unsigned)region.size,
             (unsigned)(region.size / 1024), region.name);
}

static const char *flash_mode_name(uint8_t mode)
{
    static const char *const names[] = {"unknown", "qio", "qout", "dio", "dout", "opi"};
    return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : names[0];
}

static void start_flash(void)
{
    static const char TAG[] = "spi_flash";

    /* It says itself what is wrong; there is nothing to go on with. */
    ESP_ERROR_CHECK(esp_flash_init(NULL));
    ESP_LOGI(TAG, "detected chip: %s", "generic");
    ESP_LOGI(TAG, "flash io: %s", flash_mode_name(esp_app_get_description()->spi_flash_mode));
}

static void main_task(void *arg)
{
    static const char TAG[] = "main_task";

    (void)arg;
    ESP_LOGI(TAG, "Started on CPU%d", xPortGetCoreID());
    if (ota_watch_confirmation != NULL) {
        ota_watch_confirmation();
    }
    ESP_LOGI(TAG, "Calling app_main()");
    app_main();
    ESP_LOGI(TAG, "Returned from app_main()");
    vTaskDelete(NULL);
}

_Noreturn void app_start(void)
{
    /* A line appears when it is complete, also where stdout is no terminal. */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);

    print_cpu();
    print_application();
    print_revisions();
    print_heap();
    start_flash();

    if (xTaskCreate(main_task, "main", CONFIG_ESP_MAIN_TASK_STACK_SIZE, NULL, MAIN_TASK_PRIORITY,
                    NULL) != pdPASS) {
        esp_rom_printf("no memory for the main task\n");
        abort();
    }
    vTaskStartScheduler();
}

void app_panic_details(void)
{
    esp_rom_printf("ELF file SHA256: %s\n\n", esp_app_get_elf_sha256_str());
#ifdef CONFIG_ESP_SYSTEM_PANIC_PRINT_HALT
    esp_rom_printf("CPU halted.\n");
    for (;;) {
        hal_clock_spin_us(1000000);
    }
#else
    for (int i = 0; i < CONFIG_ESP_SYSTEM_PANIC_REBOOT_DELAY_SECONDS; i++) {
        hal_clock_spin_us(1000000);
    }
#endif
}
