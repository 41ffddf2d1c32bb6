/* SPDX-License-Identifier: Apache-2.0
 *
 * The scenarios about which application runs. */
#include "airlift_powercut.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "sdkconfig.h"

#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#include "esp_efuse.h"
#endif

#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#define ROLLBACK 1
#else
#define ROLLBACK 0
#endif
#ifdef CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS
#define ATTEMPTS CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS
#else
#define ATTEMPTS 1
#endif

static const esp_partition_t *find_factory(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY,
                                    NULL);
}

static const esp_partition_t *find_otadata(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
}

/* A firmware that confirms itself as soon as it runs. */
static void confirm_if_pending(void)
{
    esp_ota_img_states_t state;
    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY) {
        airlift_powercut_must(airlift_powercut_confirm(), "confirming");
    }
}

static void install_and_restart(uint32_t version, size_t begin_size)
{
    airlift_powercut_must(
        airlift_powercut_install(version, airlift_powercut_secure_version(), begin_size),
        "the update");
    esp_restart();
}

/* Updates until version runs, confirmed. */
static void update_up_to(uint32_t version)
{
    confirm_if_pending();
    if (airlift_powercut_version() < version) {
        install_and_restart(airlift_powercut_version() + 1, 0);
    }
}

static const char *needs_slots(void)
{
    const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
    if (find_otadata() == NULL) {
        return "the partition table has no otadata";
    }
    if (next == NULL || next == esp_ota_get_running_partition()) {
        return "the partition table has no slot to update";
    }
    return NULL;
}

static const char *needs_rollback(void)
{
    return ROLLBACK ? needs_slots() : "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE is off";
}

static void install_second(void)
{
    if (airlift_powercut_version() == 1) {
        airlift_powercut_must(airlift_powercut_install(2, airlift_powercut_secure_version(), 0),
                              "the update");
    }
}

/* --- updates --- */

static void run_first_update(void)
{
    if (airlift_powercut_version() == 1) {
        install_and_restart(2, OTA_WITH_SEQUENTIAL_WRITES);
    }
    confirm_if_pending();
}

AIRLIFT_POWERCUT_SCENARIO(first_update, .name = "first-update",
                          .summary = "the first update, into a slot that was never used",
                          .skip = needs_slots, .run = run_first_update)

static void prepare_update_over_old(void)
{
    update_up_to(3);
}

static void run_update_over_old(void)
{
    if (airlift_powercut_version() == 3) {
        install_and_restart(4, OTA_SIZE_UNKNOWN);
    }
    confirm_if_pending();
}

AIRLIFT_POWERCUT_SCENARIO(update_over_old, .name = "update-over-old",
                          .summary = "an update over a slot that holds an older version",
                          .skip = needs_slots, .prepare = prepare_update_over_old,
                          .run = run_update_over_old)

/* --- confirming and rolling back --- */

AIRLIFT_POWERCUT_SCENARIO(mark_valid, .name = "mark-valid",
                          .summary = "the first boot of an update, which confirms itself",
                          .skip = needs_rollback, .prepare = install_second,
                          .run = confirm_if_pending)

static void run_mark_invalid(void)
{
    if (airlift_powercut_version() == 2) {
        airlift_powercut_must(esp_ota_mark_app_invalid_rollback(), "rejecting");
        airlift_powercut_rejected(2);
        esp_restart();
    }
}

AIRLIFT_POWERCUT_SCENARIO(mark_invalid, .name = "mark-invalid",
                          .summary = "the first boot of an update, which rejects itself",
                          .skip = needs_rollback, .prepare = install_second,
                          .run = run_mark_invalid)

static void run_never_confirm(void)
{
    if (airlift_powercut_version() == 2) {
        esp_restart();
    }
}

static void check_never_confirm(void)
{
    if (airlift_powercut_version() == 2) {
        airlift_powercut_lost("version 2 stays, though it never confirmed itself");
    }
}

AIRLIFT_POWERCUT_SCENARIO(never_confirm, .name = "never-confirm",
                          .summary = "an update that never confirms itself, and is rolled back",
                          .skip = needs_rollback, .prepare = install_second,
                          .run = run_never_confirm, .check = check_never_confirm)

static const char *needs_no_rollback(void)
{
    return ROLLBACK ? "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE is on" : needs_slots();
}

static void run_no_rollback(void)
{
    uint32_t restarts = 0;
    if (airlift_powercut_version() == 1) {
        install_and_restart(2, 0);
    }
    airlift_powercut_was_done("restarts", &restarts);
    if (restarts < 2) {
        airlift_powercut_done("restarts", restarts + 1);
        esp_restart();
    }
}

AIRLIFT_POWERCUT_SCENARIO(no_rollback, .name = "no-rollback",
                          .summary = "with roll-back disabled, an update stays without confirming",
                          .skip = needs_no_rollback, .run = run_no_rollback)

/* A trial has up to two cuts. */
static const char *needs_attempts(void)
{
    if (ATTEMPTS < 3) {
        return "CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS is below 3";
    }
    return needs_rollback();
}

static void run_attempts(void)
{
    if (airlift_powercut_version() == 1) {
        airlift_powercut_lost("version 2 was rolled back after fewer than %d attempts", ATTEMPTS);
    }
    confirm_if_pending();
}

AIRLIFT_POWERCUT_SCENARIO(attempts, .name = "attempts",
                          .summary = "with several attempts, a power loss is no roll-back",
                          .skip = needs_attempts, .prepare = install_second, .run = run_attempts)

/* --- anti-rollback --- */

#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK

static void run_anti_rollback(void)
{
    if (airlift_powercut_version() == 1) {
        airlift_powercut_must(
            airlift_powercut_install(2, CONFIG_BOOTLOADER_APP_SECURE_VERSION + 1, 0), "the update");
        esp_restart();
    }
    confirm_if_pending();
    uint32_t refused;
    if (!airlift_powercut_was_done("refused", &refused)) {
        esp_err_t err = airlift_powercut_install(3, CONFIG_BOOTLOADER_APP_SECURE_VERSION, 0);
        if (err == ESP_OK) {
            airlift_powercut_lost("an older secure version was accepted");
        }
        airlift_powercut_rejected(3);
        airlift_powercut_done("refused", (uint32_t)err);
    }
}

static void check_anti_rollback(void)
{
    if (esp_efuse_read_secure_version() < CONFIG_BOOTLOADER_APP_SECURE_VERSION + 1) {
        airlift_powercut_lost("the chip's secure version was not raised");
    }
}

static const char *needs_anti_rollback(void)
{
    return needs_slots();
}

#else

static void run_anti_rollback(void)
{
}

static void check_anti_rollback(void)
{
}

static const char *needs_anti_rollback(void)
{
    return "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK is off";
}

#endif

AIRLIFT_POWERCUT_SCENARIO(anti_rollback, .name = "anti-rollback",
                          .summary = "an update that raises the secure version, then an older one",
                          .skip = needs_anti_rollback, .run = run_anti_rollback,
                          .check = check_anti_rollback)

/* --- otadata --- */

static void prepare_second_version(void)
{
    update_up_to(2);
}

static void run_erase_otadata(void)
{
    uint32_t asked;
    if (airlift_powercut_version() != 2 || airlift_powercut_was_done("factory", &asked)) {
        return;
    }
    const esp_partition_t *factory = find_factory();
    const esp_partition_t *otadata = find_otadata();
    airlift_powercut_choosing(1);
    airlift_powercut_forgetting();
    airlift_powercut_must(factory != NULL ? esp_ota_set_boot_partition(factory)
                                          : esp_partition_erase_range(otadata, 0, otadata->size),
                          "erasing otadata");
    airlift_powercut_chosen(1);
    airlift_powercut_done("factory", 1);
    esp_restart();
}

AIRLIFT_POWERCUT_SCENARIO(erase_otadata, .name = "erase-otadata",
                          .summary = "back to the first application by erasing otadata",
                          .skip = needs_slots, .prepare = prepare_second_version,
                          .run = run_erase_otadata)

static void run_nothing(void)
{
}

static const char *needs_no_factory(void)
{
    return find_factory() != NULL ? "with a factory application the bootloader writes no otadata "
                                    "at the first boot"
                                  : needs_slots();
}

AIRLIFT_POWERCUT_SCENARIO(first_boot, .name = "first-boot",
                          .summary = "the bootloader's otadata at the very first boot of a slot",
                          .skip = needs_no_factory, .run = run_nothing)

/* The slot that was chosen has rotted. */
static void prepare_fallback(void)
{
    confirm_if_pending();
    if (airlift_powercut_version() == 1) {
        install_and_restart(2, 0);
    }
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    static const uint8_t zeros[64];
    airlift_powercut_must(airlift_powercut_install(3, airlift_powercut_secure_version(), 0),
                          "the update");
    airlift_powercut_must(esp_partition_write(slot, 0x800, zeros, sizeof(zeros)),
                          "damaging the image");
    airlift_powercut_rejected(3);
}

AIRLIFT_POWERCUT_SCENARIO(fallback, .name = "fallback",
                          .summary = "the bootloader's way around a chosen image that is damaged",
                          .skip = needs_slots, .prepare = prepare_fallback, .run = run_nothing)

#ifdef CONFIG_BOOTLOADER_FACTORY_RESET

#define RESET_PIN CONFIG_BOOTLOADER_NUM_PIN_FACTORY_RESET
#ifdef CONFIG_BOOTLOADER_FACTORY_RESET_PIN_HIGH
#define RESET_LEVEL 1
#else
#define RESET_LEVEL 0
#endif

static const char *needs_factory_reset(void)
{
    return find_factory() == NULL ? "the partition table has no factory application"
                                  : needs_slots();
}

#else

#define RESET_PIN   0
#define RESET_LEVEL 0

static const char *needs_factory_reset(void)
{
    return "CONFIG_BOOTLOADER_FACTORY_RESET is off";
}

#endif

static void prepare_factory_reset(void)
{
    update_up_to(2);
#ifdef CONFIG_BOOTLOADER_OTA_DATA_ERASE
    airlift_powercut_choosing(1);
    airlift_powercut_forgetting();
#endif
}

AIRLIFT_POWERCUT_SCENARIO(factory_reset, .name = "factory-reset",
                          .summary = "the button that leads back to the factory application",
                          .skip = needs_factory_reset, .prepare = prepare_factory_reset,
                          .run = run_nothing, .hold_pin = true, .pin = RESET_PIN,
                          .level = RESET_LEVEL)
