/* SPDX-License-Identifier: Apache-2.0
 *
 * Time for log lines. */
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

#include "esp_log_timestamp.h"
#include "hal/clock.h"

uint32_t esp_log_timestamp(void)
{
    return (uint32_t)(hal_clock_us() / 1000);
}

uint32_t esp_log_early_timestamp(void)
{
    return esp_log_timestamp();
}

char *esp_log_system_timestamp(void)
{
    static _Thread_local char text[sizeof("HH:MM:SS.sss")];
    struct timeval now;
    struct tm parts;

    gettimeofday(&now, NULL);
    time_t seconds = now.tv_sec;
    localtime_r(&seconds, &parts);
    snprintf(text, sizeof(text), "%02u:%02u:%02u.%03u", (unsigned)parts.tm_hour % 100u,
             (unsigned)parts.tm_min % 100u, (unsigned)parts.tm_sec % 100u,
             (unsigned)(now.tv_usec / 1000) % 1000u);
    return text;
}
