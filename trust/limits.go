package trust

import "time"

// Limits bound what a hostile registry can make Verify read. Zero fields are the defaults. What exceeds a limit is
// reported, not passed over.
type Limits struct {
	Manifests    int           // signature manifests of one image: 100
	Layers       int           // signatures in one manifest: 100
	Signatures   int           // signatures of one image: 500
	ManifestSize int64         // bytes of a manifest: 4 MiB
	Signature    int64         // bytes of a signature: 1 MiB
	Attestation  int64         // bytes of an attestation or bundle: 32 MiB
	Total        int64         // bytes of all signatures and attestations of one image: 128 MiB
	Time         time.Duration // of the whole: a minute
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	size := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Manifests, 100)
	def(&l.Layers, 100)
	def(&l.Signatures, 500)
	size(&l.ManifestSize, 4<<20)
	size(&l.Signature, 1<<20)
	size(&l.Attestation, 32<<20)
	size(&l.Total, 128<<20)
	if l.Time <= 0 {
		l.Time = time.Minute
	}
	return l
}
