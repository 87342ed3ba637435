package apps

import (
	"bytes"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	"image/png"

	"pochi/app/problem"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

// Bounds of a logo as it is uploaded.
const (
	PictureMax     = 256 << 10 // bytes
	pictureSideMax = 1024      // pixels: 20 MB at most while it is decoded
)

// logoSide is the width and height of every logo here, in pixels.
const logoSide = 256

// parsePicture makes a logo, as PNG, of an uploaded picture: PNG, JPEG, WebP or
// the first of a GIF. It is drawn anew, as large as it fits, on a transparent
// square, so that nothing but its pixels is passed on. Errors: Invalid with the
// field logo.
func parsePicture(file []byte) ([]byte, error) {
	switch {
	case len(file) == 0:
		return nil, badPicture("Choose a picture first.")
	case len(file) > PictureMax:
		return nil, badPicture("The picture is larger than %d kB. Choose a smaller one.", PictureMax>>10)
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, badPicture("Choose a PNG, JPEG, WebP or GIF picture.")
	}
	if size.Width < 1 || size.Height < 1 || size.Width > pictureSideMax || size.Height > pictureSideMax {
		return nil, badPicture("The picture has %d × %d pixels. It can have %d in each direction.", size.Width, size.Height, pictureSideMax)
	}
	picture, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, badPicture("The picture is damaged. Save it anew and try again.")
	}
	var out bytes.Buffer
	if err := png.Encode(&out, fitted(picture)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// fitted draws a picture in the middle of a logo.
func fitted(picture image.Image) image.Image {
	from := picture.Bounds()
	width, height := logoSide, logoSide
	if from.Dx() > from.Dy() {
		height = max(1, logoSide*from.Dy()/from.Dx())
	} else {
		width = max(1, logoSide*from.Dx()/from.Dy())
	}
	at := image.Pt((logoSide-width)/2, (logoSide-height)/2)
	logo := image.NewNRGBA(image.Rect(0, 0, logoSide, logoSide))
	draw.CatmullRom.Scale(logo, image.Rectangle{Min: at, Max: at.Add(image.Pt(width, height))}, picture, from, draw.Src, nil)
	return logo
}

func badPicture(format string, args ...any) error {
	return problem.Errors{problem.Field("logo", format, args...)}
}
