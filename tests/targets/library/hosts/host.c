/* Uses the library that it is linked with, until its standard input ends. */
#include <stdio.h>

extern void StartWork(void);

int main(void) {
    StartWork();
    puts("READY");
    fflush(stdout);
    while (getchar() != EOF) {
    }
    return 0;
}
