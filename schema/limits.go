package schema

import "time"

// Limits of the format (F1, F2, F5, F7). A document beyond one of them is refused, never cut.
const (
	MaxRecordBytes    = 256 << 10 // bytes of a record file
	MaxSignatureBytes = 16 << 10  // bytes of a signature file
	MaxHeadBytes      = 64 << 10  // bytes of a head file
	MaxSubjects       = 1000      // subjects of one record
	MaxKeep           = 500       // ids in the `keep` of a head
	MaxHeadLifetime   = 400 * 24 * time.Hour
	MaxDepth          = 6 // collections inside each other, the document's own mapping included
)
