// Package intake takes images in: what was pushed, pulled or imported is scanned, judged, and then released or held.
//
// It promises that an image which was acknowledged is judged in the end, that under enforcement nothing is served
// whose verdict is missing, failed or older than the rules allow, and that a change of the advisory database, of a rule
// or of an exception reaches exactly the images that it concerns. It leaves out how images are read and matched (a
// Scanner and a Judge do), how signatures are verified (a Truster), where the values are kept (a Catalog) and who may
// do what (its callers ask first).
package intake
