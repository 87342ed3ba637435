package web

import (
	"fmt"
	"strings"

	"pochi/views"

	"rsc.io/qr"
)

// qrCode is a text as a QR code that can still be read when a seventh of it can't.
func qrCode(text string) (views.QR, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return views.QR{}, fmt.Errorf("make a QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	return views.QR{Size: code.Size, Path: path.String()}, nil
}
