package keys

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
)

// Rotation says what a rotation is to do.
type Rotation struct {
	// Provider is the new one, "" for the one in use: a file then gets a new key, a service wraps with its newest version.
	Provider string
	// Create makes the new provider's file if there is none.
	Create bool
	// DataKeys also makes new data keys for what is written from now on; what was written stays as it is.
	DataKeys bool
}

// Rotate wraps all data keys anew, so that the former key-encryption key is needed no longer. No data is rewritten. Where
// anything fails the ring stays as it was. With a new provider, Config.Provider has to name it at the next start.
func (r *Ring) Rotate(ctx context.Context, how Rotation) (Status, error) {
	if !r.Enabled() {
		return Status{}, ErrNotEncrypted
	}
	r.write.Lock()
	defer r.write.Unlock()
	if err := r.reload(ctx); err != nil {
		return Status{}, err
	}
	next, fresh, err := r.successor(ctx, how)
	if err != nil {
		return Status{}, err
	}
	if err := r.rewrap(ctx, next, how.DataKeys); err != nil {
		if fresh {
			err = errors.Join(err, next.close())
		}
		return Status{}, fmt.Errorf("rotating keys: %w", err)
	}
	r.cache.forget()
	return r.Check(ctx), nil
}

// successor is the provider that wraps from now on; fresh tells that it is not the one in use.
func (r *Ring) successor(ctx context.Context, how Rotation) (next provider, fresh bool, err error) {
	if how.Provider != "" {
		next, err = r.cfg.dial(ctx, how.Provider, how.Create)
		return next, true, err
	}
	next = r.keeper()
	if v, ok := next.(rotator); ok {
		err = v.rotate()
	}
	return next, false, err
}

// rewrap unwraps every key with the provider in use and wraps it with next, which is in use when all of it is stored.
func (r *Ring) rewrap(ctx context.Context, next provider, dataKeys bool) error {
	old := r.keeper()
	err := r.changeWith(ctx, next, func(v *ring) error {
		v.Rotated = r.now()
		v.Keys = slices.Clone(v.Keys)
		for i, k := range v.Keys {
			wrapped, err := carry(ctx, k, old, next)
			if err != nil {
				return err
			}
			v.Keys[i].Wrapped = wrapped
		}
		if !dataKeys {
			return nil
		}
		for _, purpose := range v.purposes() {
			if err := r.addKeyWith(ctx, next, v, purpose); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && next != old {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.retired = append(r.retired, old) // calls may be under way
	}
	return err
}

// carry wraps one key anew and reads it back before anything relies on it.
func carry(ctx context.Context, k wrappedKey, from, to provider) ([]byte, error) {
	text, err := from.unwrap(ctx, k.Wrapped)
	if err != nil {
		return nil, fmt.Errorf("unwrapping key %s: %w", k.ID, err)
	}
	defer clear(text)
	if _, err := openEnvelope(k, text); err != nil {
		return nil, err
	}
	return wrapChecked(ctx, to, k, text)
}

func wrapChecked(ctx context.Context, to provider, k wrappedKey, text []byte) ([]byte, error) {
	wrapped, err := to.wrap(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("wrapping key %s: %w", k.ID, err)
	}
	if len(wrapped) > maxWrapped {
		return nil, fmt.Errorf("wrapping key %s: the provider returned %d bytes, at most %d are kept", k.ID, len(wrapped), maxWrapped)
	}
	again, err := to.unwrap(ctx, wrapped)
	defer clear(again)
	if err != nil || !bytes.Equal(again, text) {
		return nil, errors.Join(fmt.Errorf("key %s was wrapped but does not unwrap again", k.ID), err)
	}
	return wrapped, nil
}

// first makes the first key of a purpose, unless another process was faster.
func (r *Ring) first(ctx context.Context, purpose string) (wrappedKey, error) {
	r.write.Lock()
	defer r.write.Unlock()
	const attempts = 8 // other processes make their first keys at the same time
	for range attempts {
		v, _ := r.snapshot()
		if k, ok := v.current(purpose); ok {
			return k, nil
		}
		err := r.change(ctx, func(next *ring) error { return r.addKey(ctx, next, purpose) })
		if errors.Is(err, ErrChanged) {
			err = r.reload(ctx)
		}
		if err != nil {
			return wrappedKey{}, err
		}
	}
	return wrappedKey{}, ErrChanged
}

// addKey appends a new key of a purpose to a ring that is being changed.
func (r *Ring) addKey(ctx context.Context, v *ring, purpose string) error {
	return r.addKeyWith(ctx, r.keeper(), v, purpose)
}

func (r *Ring) addKeyWith(ctx context.Context, p provider, v *ring, purpose string) error {
	k := wrappedKey{ID: newKeyID(), Purpose: purpose, Created: r.now()}
	key := make([]byte, KeySize)
	rand.Read(key) // never fails, see crypto/rand
	text := envelope(k, key)
	defer clear(text)
	defer clear(key)
	asked := r.now()
	wrapped, err := wrapChecked(ctx, p, k, text)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	k.Wrapped = wrapped
	v.Keys = append(slices.Clip(v.Keys), k)
	r.report(k.ID, asked, nil)
	r.cache.put(k.ID, key, asked, asked.Add(r.cfg.Cache))
	return nil
}

// change writes a changed ring and uses it. The caller holds r.write.
func (r *Ring) change(ctx context.Context, edit func(*ring) error) error {
	return r.changeWith(ctx, r.keeper(), edit)
}

func (r *Ring) changeWith(ctx context.Context, p provider, edit func(*ring) error) error {
	next, old := r.snapshot()
	next.Format, next.Provider = ringFormat, p.name()
	next.Revision++
	if err := edit(&next); err != nil {
		return err
	}
	own, _ := next.current(ringPurpose)
	key, err := r.unwrappedWith(ctx, p, own)
	if err != nil {
		return err
	}
	defer clear(key)
	raw, err := next.marshal(key)
	if err != nil {
		return err
	}
	if err := r.store.Save(ctx, old, raw); err != nil {
		return fmt.Errorf("writing the key ring: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring, r.raw, r.provider = next, raw, p
	return nil
}

// unwrappedWith is unwrapped for a provider that is not in use yet.
func (r *Ring) unwrappedWith(ctx context.Context, p provider, k wrappedKey) ([]byte, error) {
	if key := r.cache.get(k.ID, r.now()); key != nil {
		return key, nil
	}
	text, err := p.unwrap(ctx, k.Wrapped)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return openEnvelope(k, text)
}

// reload takes over what another process wrote.
func (r *Ring) reload(ctx context.Context) error {
	raw, err := r.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("reading the key ring: %w", err)
	}
	if _, known := r.snapshot(); bytes.Equal(raw, known) {
		return nil
	}
	if raw == nil {
		return fmt.Errorf("%w: it is gone; restore keys.json from a backup, at best while this hub runs", ErrTampered)
	}
	next, err := parseRing(raw)
	if err != nil {
		return err
	}
	return r.adopt(ctx, next, raw)
}
