package job

import "errors"

// ErrLost says that a job is not this worker's any more: stop working on it and write nothing.
var ErrLost = errors.New("the job was cancelled or given to another worker")

// ErrNone says that there is no such job, or none in a state that allows what was asked.
var ErrNone = errors.New("no such job in a state that allows this")
