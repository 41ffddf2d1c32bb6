/* SPDX-License-Identifier: Apache-2.0
 *
 * The millisecond clock of Mbed TLS (session ticket ages) is the board's time since reset. */
#include "mbedtls/platform_time.h"

#include "hal/clock.h"

#ifdef MBEDTLS_PLATFORM_MS_TIME_ALT
mbedtls_ms_time_t mbedtls_ms_time(void)
{
    return (mbedtls_ms_time_t)(hal_clock_us() / 1000u);
}
#endif
