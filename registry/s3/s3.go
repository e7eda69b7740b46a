// Package s3 keeps a registry's files in a bucket of an S3-compatible store.
//
// It promises a storage driver with the settings that the registry needs. It is a package of its own so that only who
// imports it links the client. It leaves out making the bucket and its life-cycle rules.
package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	s3driver "github.com/distribution/distribution/v3/registry/storage/driver/s3-aws"
)

// Config says where the bucket is. AccessKey and SecretKey may be empty where the machine's role allows it.
type Config struct {
	Endpoint  string // "https://minio.example:9000"; "" is Amazon's of the region
	Region    string // "" is us-east-1
	Bucket    string
	Prefix    string // of all keys
	AccessKey string
	SecretKey string
	// PathStyle puts the bucket's name into the path, as most stores but Amazon's want it.
	PathStyle bool
	// ChunkSize of the parts of an upload, in bytes; 0 is 10 MiB, at least 5 MiB. 10,000 parts are an object's most.
	ChunkSize int
}

// Open makes a storage driver over a bucket, which must exist.
func Open(ctx context.Context, c Config) (driver.StorageDriver, error) {
	if c.Bucket == "" {
		return nil, errors.New("opening S3 storage: name a bucket")
	}
	d, err := s3driver.FromParameters(ctx, c.parameters())
	if err != nil {
		return nil, fmt.Errorf("opening S3 bucket %s: %w", c.Bucket, err)
	}
	return d, nil
}

func (c Config) parameters() map[string]any {
	p := map[string]any{
		"bucket":         c.Bucket,
		"region":         c.Region,
		"rootdirectory":  c.Prefix,
		"forcepathstyle": c.PathStyle,
		"secure":         !strings.HasPrefix(c.Endpoint, "http://"),
		"skipverify":     false,
		"v4auth":         true,
		"useragent":      "seawall",
	}
	if c.Region == "" {
		p["region"] = "us-east-1"
	}
	if c.Endpoint != "" {
		p["regionendpoint"] = c.Endpoint
	}
	if c.AccessKey != "" {
		p["accesskey"], p["secretkey"] = c.AccessKey, c.SecretKey
	}
	if c.ChunkSize > 0 {
		p["chunksize"] = c.ChunkSize
	}
	return p
}
