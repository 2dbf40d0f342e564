package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certify makes an authority, a server's certificate for this machine and a client's, and writes ca.pem,
// client.pem and client.key for who is to connect.
func certify(folder string, mutual bool) *tls.Config {
	authority := template(1, "authority")
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign
	authorityKey := newKey()
	ca := signed(authority, authority, &authorityKey.PublicKey, authorityKey)
	write(folder, "ca.pem", "CERTIFICATE", ca)

	of := func(serial int64, name string, usage x509.ExtKeyUsage) ([]byte, *ecdsa.PrivateKey) {
		own, key := template(serial, name), newKey()
		own.KeyUsage = x509.KeyUsageDigitalSignature
		own.ExtKeyUsage = []x509.ExtKeyUsage{usage}
		own.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		return signed(own, authority, &key.PublicKey, authorityKey), key
	}
	client, clientKey := of(2, "client", x509.ExtKeyUsageClientAuth)
	write(folder, "client.pem", "CERTIFICATE", client)
	bytes, err := x509.MarshalPKCS8PrivateKey(clientKey)
	must(err)
	write(folder, "client.key", "PRIVATE KEY", bytes)

	server, serverKey := of(3, "server", x509.ExtKeyUsageServerAuth)
	config := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{server}, PrivateKey: serverKey}},
	}
	if mutual {
		trusted, err := x509.ParseCertificate(ca)
		must(err)
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AddCert(trusted)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config
}

func template(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}

func signed(own, by *x509.Certificate, key *ecdsa.PublicKey, byKey *ecdsa.PrivateKey) []byte {
	bytes, err := x509.CreateCertificate(rand.Reader, own, by, key, byKey)
	must(err)
	return bytes
}

func write(folder, name, kind string, bytes []byte) {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
	must(os.WriteFile(filepath.Join(folder, name), text, 0o600))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
