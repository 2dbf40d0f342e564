// Package group runs functions together and reports the first error, without telling the others.
package group

// Group is a set of functions that run together.
type Group struct {
	started int
	ended   chan error
}

// Go starts one more function.
func (g *Group) Go(f func() error) {
	if g.ended == nil {
		g.ended = make(chan error)
	}
	g.started++
	go g.run(f)
}

func (g *Group) run(f func() error) {
	g.ended <- f() // want: channel-send likely pattern=premature-return
}

// Wait returns when all have ended, or one with an error.
func (g *Group) Wait() error {
	for i := 0; i < g.started; i++ {
		if err := <-g.ended; err != nil {
			return err
		}
	}
	return nil
}
