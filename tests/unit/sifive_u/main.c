/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a test program on the board: its argument comes as a line on the console, its exit status
 * goes there. tests/unit/sifive_u/run.py is the other end. */
#include <stdio.h>
#include <stdlib.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "hal/start.h"

/* The tests keep much on the stack; the kernel would say so if they kept too much. */
#define STACK_BYTES 24576

int main(int argc, char **argv);

static void run(void *arg)
{
    static char program[] = "test", name[64];
    char *argv[] = {program, name, NULL};
    size_t length = 0;
    int c;

    (void)arg;
    printf("unit: ready\n");
    while ((c = getchar()) != '\n') {
        if (c == EOF || length == sizeof(name) - 1) {
            printf("unit: the argument is longer than %u bytes\n", (unsigned)sizeof(name) - 1);
            abort();
        }
        name[length++] = (char)c;
    }
    int status = main(length > 0 ? 2 : 1, argv);
    printf("unit: exit %d\n", status);
    vTaskDelete(NULL);
}

_Noreturn void app_start(void)
{
    if (xTaskCreate(run, "main", STACK_BYTES, NULL, tskIDLE_PRIORITY + 1, NULL) != pdPASS) {
        printf("unit: no memory for the task that runs the tests\n");
        abort();
    }
    vTaskStartScheduler();
}
