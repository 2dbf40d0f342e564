package main

func startFrames() {
	for _, depth := range []int{5, 60, 300} {
		go descend(depth)
	}
	go even(41)
	go outermost(3)
	go bigFrames(4)
	go renamed()

	go generic(never, 1)
	go generic(never, "one")
	go generic(never, struct{ a, b int }{1, 2})
	l := list[string]{from: never}
	go l.wait("")
	go each([]int{1, 2}, func(v int) int { return <-never + v })
	go func() { wrap(func() int { return inlinedGeneric[uint8](never) }) }()

	go grow(200)
	go variadic(never, 1, 2, 3)
	go results(never)
}

//go:noinline
func descend(depth int) int {
	if depth > 1 {
		return descend(depth-1) + 1
	}
	return <-never
}

func even(n int) bool {
	if n == 0 {
		return <-never == 0
	}
	return odd(n - 1)
}

func odd(n int) bool {
	if n == 0 {
		return <-never == 1
	}
	return even(n - 1)
}

// outermost calls a chain that the compiler puts into it, one into the other.
func outermost(n int) int {
	n++
	return first(n) + 1
}

func first(n int) int {
	n *= 2

	return second(n) + 1
}

func second(n int) int {
	if n > 1 {
		return third(n) + 1
	}
	return 0
}

func third(n int) int {
	return n + func() int {
		return <-never
	}()
}

//go:noinline
func bigFrames(n int) int {
	var block [24 << 10]byte
	block[n] = byte(n)
	if n > 0 {
		return bigFrames(n-1) + int(block[n])
	}
	return <-never + int(block[n])
}

type list[T comparable] struct {
	from  <-chan int
	items []T
}

//go:noinline
func (l *list[T]) wait(item T) bool {
	println(<-l.from)
	for _, have := range l.items {
		if have == item {
			return true
		}
	}
	return false
}

//go:noinline
func generic[T any](from <-chan int, value T) T {
	func() {
		<-from
	}()
	return value
}

func each[T, U any](items []T, f func(T) U) (out []U) {
	for _, item := range items {
		out = append(out, f(item))
	}
	return out
}

func inlinedGeneric[T any](from <-chan int) int { return <-from }

//go:noinline
func wrap(f func() int) int { return f() + 1 }

// grow comes back from a deep call, so that its stack has been moved and is larger than it needs.
func grow(depth int) int {
	sum := down(depth)
	return sum + <-never
}

//go:noinline
func down(depth int) int {
	var block [256]byte
	block[depth%256] = 1
	if depth == 0 {
		return int(block[0])
	}
	return down(depth-1) + int(block[depth%256])
}

func variadic(from <-chan int, more ...int) int {
	return <-from + len(more)
}

//go:noinline
func results(from <-chan int) (a int, b string, err error) {
	defer func() { a++ }()
	a = <-from
	return
}

// The line directive is what a parser generator leaves behind.
//
//line generated.y:100
func renamed() {

	<-never
}
