/* SPDX-License-Identifier: Apache-2.0
 *
 * Ethernet. */
#ifndef ESP_ETH_H
#define ESP_ETH_H

#include "esp_eth_driver.h"

#endif
