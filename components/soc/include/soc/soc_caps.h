/* SPDX-License-Identifier: Apache-2.0
 *
 * What the chip can do, as macros of ESP-IDF. A capability that is missing is not defined:
 * Airlift's boards have no Wi-Fi, Bluetooth, Thread or recovery bootloader. */
#ifndef SOC_SOC_CAPS_H
#define SOC_SOC_CAPS_H

#define SOC_CPU_CORES_NUM 1

#endif
