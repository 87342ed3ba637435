package apps_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"pochi/app/apps"
	"pochi/app/problem"
)

// picture is a red one.
func picture(width, height int) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		p.Set(i%width, i/width, color.RGBA{R: 200, A: 255})
	}
	return p
}

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngOf(t *testing.T, width, height int) []byte {
	return encoded(t, func(w *bytes.Buffer) error { return png.Encode(w, picture(width, height)) })
}

// claiming is a PNG whose header says that it is larger than it is.
func claiming(t *testing.T, width, height uint32) []byte {
	file := pngOf(t, 1, 1)
	binary.BigEndian.PutUint32(file[16:], width)
	binary.BigEndian.PutUint32(file[20:], height)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

func TestLogo(t *testing.T) {
	k := newDesk(t)
	a, _ := k.register(form())
	webp, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]bool{}
	for name, file := range map[string][]byte{
		"png":       pngOf(t, 600, 400),
		"tall png":  pngOf(t, 1, 1024),
		"jpeg":      encoded(t, func(w *bytes.Buffer) error { return jpeg.Encode(w, picture(300, 300), nil) }),
		"gif":       encoded(t, func(w *bytes.Buffer) error { return gif.Encode(w, picture(20, 10), nil) }),
		"webp":      webp,
		"with more": append(pngOf(t, 500, 400), "<script>alert(1)</script>"...),
	} {
		if err := k.SetLogo(t.Context(), k.ann, a.ID, file); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		logo, version, err := k.Logo(t.Context(), a.ID)
		if err != nil || k.only().Logo != version || versions[version] {
			t.Errorf("%s: version %q, in the list %q, %v", name, version, k.only().Logo, err)
		}
		versions[version] = true
		got, err := png.Decode(bytes.NewReader(logo))
		if err != nil || got.Bounds() != image.Rect(0, 0, 256, 256) || bytes.Contains(logo, []byte("script")) {
			t.Errorf("%s: %v, %v", name, got.Bounds(), err)
		}
	}
	if logos, err := k.Logos(t.Context(), []string{a.ID, "c2", a.ID}); err != nil || len(logos) != 1 || logos[a.ID] != k.only().Logo {
		t.Errorf("%v, %v", logos, err)
	}
	if err := k.RemoveLogo(t.Context(), k.ann, a.ID); err != nil || k.only().Logo != "" {
		t.Errorf("removed: %q, %v", k.only().Logo, err)
	}
	if _, _, err := k.Logo(t.Context(), a.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("no logo: %v", err)
	}
}

// A wide picture is in the middle, with nothing above it.
func TestLogoIsFitted(t *testing.T) {
	k := newDesk(t)
	a, _ := k.register(form())
	if err := k.SetLogo(t.Context(), k.ann, a.ID, pngOf(t, 400, 200)); err != nil {
		t.Fatal(err)
	}
	file, _, err := k.Logo(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	logo, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for at, opaque := range map[image.Point]bool{{128, 10}: false, {128, 128}: true, {5, 128}: true, {250, 128}: true, {128, 245}: false} {
		if _, _, _, alpha := logo.At(at.X, at.Y).RGBA(); (alpha > 0) != opaque {
			t.Errorf("at %v: alpha %d", at, alpha)
		}
	}
}

func TestWhatNoLogoIs(t *testing.T) {
	k := newDesk(t)
	a, _ := k.register(form())
	for name, file := range map[string][]byte{
		"nothing":      nil,
		"an SVG":       []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"a page":       []byte("<!DOCTYPE html><title>Logo</title>"),
		"cut off":      pngOf(t, 300, 300)[:200],
		"too wide":     pngOf(t, 1025, 1),
		"a bomb":       claiming(t, 1<<31-1, 1<<31-1),
		"a small bomb": claiming(t, 50_000, 50_000),
		"too large":    append(pngOf(t, 10, 10), make([]byte, apps.PictureMax)...),
	} {
		err := k.SetLogo(t.Context(), k.ann, a.ID, file)
		if problem.CodeOf(err) != problem.Invalid || problem.Fields(err)["logo"] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := k.SetLogo(t.Context(), k.ben, a.ID, pngOf(t, 10, 10)); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Ben's logo for Ann's app: %v", err)
	}
	if k.only().Logo != "" {
		t.Error("the app has a logo")
	}
}

func FuzzLogo(f *testing.F) {
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("GIF89a"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8L"))
	f.Fuzz(func(t *testing.T, file []byte) {
		logo, err := apps.ParsePicture(file)
		if err != nil {
			if problem.CodeOf(err) != problem.Invalid {
				t.Error(err)
			}
			return
		}
		if size, err := png.DecodeConfig(bytes.NewReader(logo)); err != nil || size.Width != 256 || size.Height != 256 {
			t.Errorf("%v, %v", size, err)
		}
	})
}
