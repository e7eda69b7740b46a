package image

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"
)

const (
	blockSize = 256 << 10
	// pumpBlocks is how far a pump may run ahead of its slowest reader.
	pumpBlocks = 6
)

var errStopped = errors.New("stopped")

var blocks = sync.Pool{New: func() any { return &block{buf: make([]byte, blockSize)} }}

// block is a piece of a stream that a hash and a parser read at the same time. It goes back when both are done.
type block struct {
	buf  []byte
	n    int
	refs atomic.Int32
}

// stage owns the goroutines behind one layer.
type stage struct {
	stopped chan struct{}
	once    sync.Once
	wg      sync.WaitGroup
}

func newStage() *stage { return &stage{stopped: make(chan struct{})} }

// stop ends every pump of the stage at its next block. It does not interrupt a Read that hangs.
func (s *stage) stop() { s.once.Do(func() { close(s.stopped) }) }

// wait returns when the goroutines have ended.
func (s *stage) wait() { s.wg.Wait() }

// pump reads src on a goroutine of its own, hashes what it reads on a second one, and gives it to the reader that it
// returns. Memory is bounded by pumpBlocks.
func (s *stage) pump(src io.Reader, h hash.Hash) *pump {
	p := &pump{
		stage: s, hash: h,
		tokens: make(chan struct{}, pumpBlocks),
		data:   make(chan *block, pumpBlocks),
		hashed: make(chan struct{}),
	}
	var toHash chan *block
	if h != nil {
		toHash = make(chan *block, pumpBlocks)
		s.wg.Go(func() { p.runHash(toHash) })
	} else {
		close(p.hashed)
	}
	s.wg.Go(func() { p.run(src, toHash) })
	return p
}

// pump is the reading end: io.Reader and io.ByteReader, and an io.Seeker that only goes forward, so that archive/tar
// skips without copying.
type pump struct {
	stage  *stage
	hash   hash.Hash
	tokens chan struct{} // one for each block that is out
	data   chan *block
	hashed chan struct{} // closed when the hash has seen everything

	err  error // why data was closed; nil at the end of src
	cur  *block
	off  int // read so far of cur
	pos  int64
	read atomic.Int64 // bytes handed on by run, for the ratio
}

func (p *pump) run(src io.Reader, toHash chan *block) {
	defer close(p.data)
	if toHash != nil {
		defer close(toHash)
	}
	defer func() {
		// A decompressor that panics on hostile bytes must not take the process with it.
		if r := recover(); r != nil {
			p.err = fmt.Errorf("decompressing: %v", r)
		}
	}()
	p.err = p.loop(src, toHash)
}

func (p *pump) loop(src io.Reader, toHash chan *block) error {
	for {
		select {
		case p.tokens <- struct{}{}:
		case <-p.stage.stopped:
			return errStopped
		}
		b := blocks.Get().(*block)
		var err error
		b.n, err = fillBlock(src, b.buf)
		p.read.Add(int64(b.n))
		p.share(b, toHash)
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return err
		}
	}
}

// share hands b to both readers. The channels hold as many blocks as there are tokens: sending never blocks.
func (p *pump) share(b *block, toHash chan *block) {
	if toHash == nil {
		b.refs.Store(1)
		p.data <- b
		return
	}
	b.refs.Store(2)
	toHash <- b
	p.data <- b
}

func (p *pump) runHash(in <-chan *block) {
	defer close(p.hashed)
	for b := range in {
		p.hash.Write(b.buf[:b.n])
		p.release(b)
	}
}

func (p *pump) release(b *block) {
	if b.refs.Add(-1) == 0 {
		blocks.Put(b)
		<-p.tokens
	}
}

// fillBlock reads until buf is full or src ends. A reader that keeps returning nothing is an error.
func fillBlock(src io.Reader, buf []byte) (n int, err error) {
	for idle := 0; n < len(buf); {
		m, err := src.Read(buf[n:])
		n += m
		if err != nil {
			return n, err
		}
		if m > 0 {
			idle = 0
		} else if idle++; idle > 100 {
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

// next makes cur a block with something left to read.
func (p *pump) next() error {
	for p.cur == nil || p.off == p.cur.n {
		if p.cur != nil {
			p.release(p.cur)
			p.cur = nil
		}
		select {
		case b, ok := <-p.data:
			if !ok {
				if p.err != nil {
					return p.err
				}
				return io.EOF
			}
			p.cur, p.off = b, 0
		case <-p.stage.stopped:
			return errStopped
		}
	}
	return nil
}

func (p *pump) Read(dst []byte) (int, error) {
	if err := p.next(); err != nil {
		return 0, err
	}
	n := copy(dst, p.cur.buf[p.off:p.cur.n])
	p.advance(n)
	return n, nil
}

func (p *pump) advance(n int) {
	p.off += n
	p.pos += int64(n)
}

// Seek skips forward from the current position. At the end of the stream it stops there: the next Read says io.EOF.
func (p *pump) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 {
		return p.pos, errors.New("a stream only goes forward")
	}
	for offset > 0 {
		if err := p.next(); err == io.EOF {
			break
		} else if err != nil {
			return p.pos, err
		}
		n := min(offset, int64(p.cur.n-p.off))
		p.advance(int(n))
		offset -= n
	}
	return p.pos, nil
}

// drain reads to the end and waits until the hash has seen it all.
func (p *pump) drain() error {
	for {
		if err := p.next(); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		p.advance(p.cur.n - p.off)
	}
	<-p.hashed
	return nil
}
