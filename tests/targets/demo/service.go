package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// service takes orders, has them priced, and hands their invoices to a pool of workers.
type service struct {
	prices   *priceList
	invoices chan order

	mu     sync.Mutex
	orders map[int]order
	nextID int
}

type order struct {
	ID    int    `json:"id"`
	Item  string `json:"item"`
	Cents int    `json:"cents"`
}

func newService() *service {
	s := &service{
		prices:   newPriceList(),
		invoices: make(chan order, 64),
		orders:   make(map[int]order),
	}
	for i := 0; i < 16; i++ {
		go s.writeInvoices()
	}
	return s
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/orders", s.placeOrder)
	mux.HandleFunc("/status", s.status)
	return mux
}

func (s *service) placeOrder(w http.ResponseWriter, r *http.Request) {
	item := r.URL.Query().Get("item")
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
	defer cancel()
	cents, err := s.prices.quote(ctx, item)
	if errors.Is(err, context.DeadlineExceeded) {
		http.Error(w, "no price in time", http.StatusGatewayTimeout)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	placed := s.keep(item, cents)
	select {
	case s.invoices <- placed:
	case <-ctx.Done():
	}
	json.NewEncoder(w).Encode(placed)
}

func (s *service) keep(item string, cents int) order {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextID++
	placed := order{s.nextID, item, cents}
	s.orders[placed.ID] = placed
	delete(s.orders, placed.ID-1000)
	return placed
}

func (s *service) status(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Write([]byte(strconv.Itoa(len(s.orders)) + " orders\n"))
}

// writeInvoices is a worker of the pool. Most of the time most of them have nothing to do, which
// is as it should be.
func (s *service) writeInvoices() {
	for placed := range s.invoices {
		// A printer takes its time.
		time.Sleep(time.Millisecond)
		_ = placed
	}
}
