/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's fixed properties. */
#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#include "sdkconfig.h"

#define configTICK_RATE_HZ                    CONFIG_FREERTOS_HZ
#define configMAX_PRIORITIES                  25
#define configMAX_TASK_NAME_LEN               CONFIG_FREERTOS_MAX_TASK_NAME_LEN
#define configTASK_NOTIFICATION_ARRAY_ENTRIES CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES
#define configMINIMAL_STACK_SIZE              CONFIG_FREERTOS_IDLE_TASK_STACKSIZE
#define configTIMER_TASK_PRIORITY             CONFIG_FREERTOS_TIMER_TASK_PRIORITY
#define configTIMER_TASK_STACK_DEPTH          CONFIG_FREERTOS_TIMER_TASK_STACK_DEPTH
#define configTIMER_QUEUE_LENGTH              CONFIG_FREERTOS_TIMER_QUEUE_LENGTH

#define configUSE_PREEMPTION             1
#define configUSE_MUTEXES                1
#define configUSE_RECURSIVE_MUTEXES      1
#define configUSE_COUNTING_SEMAPHORES    1
#define configUSE_TIMERS                 1
#define configUSE_TASK_NOTIFICATIONS     1
#define configSUPPORT_DYNAMIC_ALLOCATION 1
#define configSUPPORT_STATIC_ALLOCATION  0
#define configNUMBER_OF_CORES            1

#endif
