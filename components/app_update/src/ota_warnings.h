/* SPDX-License-Identifier: Apache-2.0
 *
 * Warnings about an update that is confirmed too early or never. Both are configured, and off where
 * there is no rollback and in strict compatibility. */
#ifndef OTA_WARNINGS_H
#define OTA_WARNINGS_H

#include "sdkconfig.h"

#ifndef CONFIG_APP_UPDATE_EARLY_CONFIRM_WARN_MS
#define CONFIG_APP_UPDATE_EARLY_CONFIRM_WARN_MS 0
#endif

#ifndef CONFIG_APP_UPDATE_UNCONFIRMED_WARN_S
#define CONFIG_APP_UPDATE_UNCONFIRMED_WARN_S 0
#endif

/* To be called when the running app, on trial so far, was confirmed. */
#if CONFIG_APP_UPDATE_EARLY_CONFIRM_WARN_MS > 0
void ota_warn_if_confirmed_early(void);
#else
static inline void ota_warn_if_confirmed_early(void)
{
}
#endif

/* Called by start-up, which knows it as a weak symbol, in the main task. If the running app is on
 * trial, sees to it that the log warns when the time for it has passed. */
void ota_watch_confirmation(void);

#endif
