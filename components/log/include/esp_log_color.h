/* SPDX-License-Identifier: Apache-2.0
 *
 * Terminal colours. LOG_COLOR_E .. LOG_COLOR_V and LOG_RESET_COLOR are empty unless
 * CONFIG_LOG_COLORS is set. */
#ifndef ESP_LOG_COLOR_H
#define ESP_LOG_COLOR_H

#include "sdkconfig.h"

#define LOG_COLOR_BLACK  "30"
#define LOG_COLOR_RED    "31"
#define LOG_COLOR_GREEN  "32"
#define LOG_COLOR_BROWN  "33"
#define LOG_COLOR_BLUE   "34"
#define LOG_COLOR_PURPLE "35"
#define LOG_COLOR_CYAN   "36"

#define LOG_COLOR(color) "\033[0;" color "m"
#define LOG_BOLD(color)  "\033[1;" color "m"

#ifdef CONFIG_LOG_COLORS
#define LOG_COLOR_E     LOG_COLOR(LOG_COLOR_RED)
#define LOG_COLOR_W     LOG_COLOR(LOG_COLOR_BROWN)
#define LOG_COLOR_I     LOG_COLOR(LOG_COLOR_GREEN)
#define LOG_COLOR_D     ""
#define LOG_COLOR_V     ""
#define LOG_RESET_COLOR "\033[0m"
#else
#define LOG_COLOR_E     ""
#define LOG_COLOR_W     ""
#define LOG_COLOR_I     ""
#define LOG_COLOR_D     ""
#define LOG_COLOR_V     ""
#define LOG_RESET_COLOR ""
#endif

#endif
