/* SPDX-License-Identifier: Apache-2.0
 *
 * Configuration of the kernel probe, which is built without Kconfig. */
#define CONFIG_FREERTOS_HZ                              100
#define CONFIG_FREERTOS_MAX_TASK_NAME_LEN               16
#define CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES 1
#define CONFIG_FREERTOS_IDLE_TASK_STACKSIZE             1536
#define CONFIG_FREERTOS_TIMER_TASK_PRIORITY             1
#define CONFIG_FREERTOS_TIMER_TASK_STACK_DEPTH          2048
#define CONFIG_FREERTOS_TIMER_QUEUE_LENGTH              10
#define CONFIG_ESP_INT_WDT                              1
#define CONFIG_ESP_INT_WDT_TIMEOUT_MS                   300
