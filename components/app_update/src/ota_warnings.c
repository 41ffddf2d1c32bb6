/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_warnings.h"

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_private/partition_internal.h"
#include "esp_timer.h"
#include "ota_slots.h"

#if CONFIG_APP_UPDATE_EARLY_CONFIRM_WARN_MS > 0

void ota_warn_if_confirmed_early(void)
{
    unsigned ms = (unsigned)esp_log_timestamp();
    if (ms < CONFIG_APP_UPDATE_EARLY_CONFIRM_WARN_MS) {
        ESP_LOGW("esp_ota_ops",
                 "this update was confirmed only %u ms after boot: from now on nothing rolls it "
                 "back. Confirm when the app has shown that it can do its work and be updated "
                 "again (CONFIG_APP_UPDATE_EARLY_CONFIRM_WARN_MS is %u; 0: no warning)",
                 ms, (unsigned)CONFIG_APP_UPDATE_EARLY_CONFIRM_WARN_MS);
    }
}

#endif

#if CONFIG_APP_UPDATE_UNCONFIRMED_WARN_S > 0

static bool is_on_trial(void)
{
    const esp_partition_t *running = esp_partition_running();
    esp_ota_img_states_t state;
    return running != NULL && ota_is_slot(running) &&
           esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA,
                                    NULL) != NULL &&
           esp_ota_get_state_partition(running, &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

static void time_is_over(void *timer)
{
    if (is_on_trial()) {
        ESP_LOGW("esp_ota_ops",
                 "this update was not confirmed in %u s: a reset goes back to the app before it. "
                 "Call esp_ota_mark_app_valid_cancel_rollback() when it has shown that it works "
                 "(CONFIG_APP_UPDATE_UNCONFIRMED_WARN_S is the time; 0: no warning)",
                 (unsigned)CONFIG_APP_UPDATE_UNCONFIRMED_WARN_S);
    }
    esp_timer_delete(*(esp_timer_handle_t *)timer);
}

void ota_watch_confirmation(void)
{
    static esp_timer_handle_t timer;
    const esp_timer_create_args_t args = {
        .callback = time_is_over, .arg = &timer, .name = "ota_unconfirmed"};
    /* Without memory the app has other worries, and the log says so. */
    if (is_on_trial() && esp_timer_create(&args, &timer) == ESP_OK) {
        esp_timer_start_once(timer, CONFIG_APP_UPDATE_UNCONFIRMED_WARN_S * UINT64_C(1000000));
    }
}

#endif
