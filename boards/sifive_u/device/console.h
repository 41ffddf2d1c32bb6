/* SPDX-License-Identifier: Apache-2.0
 *
 * UART0, the console. */
#ifndef SIFIVE_U_CONSOLE_H
#define SIFIVE_U_CONSOLE_H

/* Switches the UART on, 115200 baud. Once per program, before the first output. */
void sifive_u_console_init(void);

/* Input arrives by interrupt from now on; hal_console_read() waits for it. Before, it polls. */
void sifive_u_console_enable_input(void);

#endif
