/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIFIVE_U_RANDOM_H
#define SIFIVE_U_RANDOM_H

/* Mixes the runner's seed and timer jitter into the pool. Once per boot, by the ROM stage. */
void sifive_u_random_boot(void);

#endif
